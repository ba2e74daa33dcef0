#pragma once

#include <concepts>

#include <consistency/core/shape.hpp>

namespace consistency {

/// N(k): how many grid points training step k uses. Models: AdaptiveSteps, DoublingSteps, FixedSteps.
template <class C>
concept Curriculum = requires(C const& c, Index k) {
  { c.points(k) } -> std::same_as<Index>;
};

}  // namespace consistency
