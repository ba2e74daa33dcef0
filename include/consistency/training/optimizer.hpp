#pragma once

#include <algorithm>
#include <concepts>

#include <consistency/core/shape.hpp>
#include <consistency/tensor/cpu/moments.hpp>

namespace consistency {

/// The coefficients of update k = 1, 2, …. Models: RAdam, Adam. docs/concepts/optimizer.md
template <class O>
concept Optimizer = requires(O const& o, Index k) {
  { o.at(k) } -> std::same_as<MomentStep>;
};

/// A factor on the learning rate: rises linearly over `warmup` updates, is 1, and falls linearly from update
/// `decay_from` to 0 at `decay_to` (0: never).
struct RateSchedule {
  Index warmup = 0;
  Index decay_from = 0;
  Index decay_to = 0;

  double factor(Index k) const {
    auto const up = k < warmup ? static_cast<double>(k) / static_cast<double>(warmup) : 1.0;
    if (decay_to <= decay_from || k <= decay_from) return up;
    return up * std::max(0.0, static_cast<double>(decay_to - k) / static_cast<double>(decay_to - decay_from));
  }
};

}  // namespace consistency
