// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/shape.hpp>

namespace consistency {

/// No grid has more intervals: float would not tell its times apart.
inline constexpr Index most_intervals = Index{1} << 30U;

/// N(k): how many grid points training step k uses. Where a curriculum has `most()`, the largest N(k), it is
/// checked before training. Models: AdaptiveSteps, DoublingSteps, FixedSteps, GeometricSteps.
template <class C>
concept Curriculum = requires(C const& c, Index k) {
  { c.points(k) } -> std::same_as<Index>;
};

}  // namespace consistency
