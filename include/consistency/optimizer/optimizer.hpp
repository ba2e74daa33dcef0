#pragma once

#include <algorithm>
#include <concepts>

#include <consistency/core/check.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// The coefficients of update k = 1, 2, …. Models: RAdam, Adam. docs/concepts/optimizer.md
template <class O>
concept Optimizer = requires(O const& o, Index k) {
  { o.at(k) } -> std::same_as<MomentStep>;
};

/// A factor on the learning rate, by the updates that are done, as optax has it: it rises linearly from 0
/// over the first `warmup`, is 1, and falls linearly from `decay_from` to 0 at `decay_to` (0: never).
struct RateSchedule {
  Index warmup = 0;
  Index decay_from = 0;
  Index decay_to = 0;

  void check() const {
    require_setting(warmup >= 0, "RateSchedule", "warmup", static_cast<double>(warmup), "0 or more");
    require_setting(decay_from >= 0, "RateSchedule", "decay_from", static_cast<double>(decay_from),
                    "0 or more");
    require_setting(decay_to == 0 || decay_to > decay_from, "RateSchedule", "decay_to",
                    static_cast<double>(decay_to), "0, or more than decay_from");
  }
  /// Of update k = 1, 2, …
  double factor(Index k) const {
    auto const done = k - 1;
    auto const up = done < warmup ? static_cast<double>(done) / static_cast<double>(warmup) : 1.0;
    if (decay_to == 0 || done <= decay_from) return up;
    return up *
           std::max(0.0, static_cast<double>(decay_to - done) / static_cast<double>(decay_to - decay_from));
  }
};

}  // namespace consistency
