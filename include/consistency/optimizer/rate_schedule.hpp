// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include <consistency/core/check.hpp>

namespace consistency {

/// How a learning rate falls from `decay_from` on.
enum class Decay : std::uint8_t {
  linear,       ///< to `final` at `decay_to`
  cosine,       ///< to `final` at `decay_to`, along half a cosine (Loshchilov & Hutter 2017)
  inverse_root  ///< as √(decay_from / k), without end (Karras et al. 2024)
};

/// A factor on the learning rate, by the updates that are done, as optax counts them: it rises linearly from
/// 0 over the first `warmup`, is 1, and falls from `decay_from` on; it is constant where decay_to is 0.
struct RateSchedule {
  Index warmup = 0;
  Index decay_from = 0;
  Index decay_to = 0;  ///< 0: never; of Decay::inverse_root without meaning
  Decay decay = Decay::linear;
  double final = 0;  ///< the factor from decay_to on

  void check() const {
    require_setting(warmup >= 0, "RateSchedule", "warmup", static_cast<double>(warmup), "0 or more");
    require_setting(decay_from >= 0, "RateSchedule", "decay_from", static_cast<double>(decay_from),
                    "0 or more");
    require_setting(decay_to == 0 || decay_to > decay_from, "RateSchedule", "decay_to",
                    static_cast<double>(decay_to), "0, or more than decay_from");
    require_setting(decay != Decay::inverse_root || decay_from >= 1, "RateSchedule",
                    "decay_from of an inverse root", static_cast<double>(decay_from), "1 or more");
    require_setting(decay != Decay::cosine || decay_to > 0, "RateSchedule", "decay_to of a cosine",
                    static_cast<double>(decay_to), "more than decay_from");
    require_setting(final >= 0 && final <= 1, "RateSchedule", "final", final, "[0, 1]");
  }
  /// Of update k = 1, 2, …
  double factor(Index k) const {
    auto const done = k - 1;
    auto const up = done < warmup ? static_cast<double>(done) / static_cast<double>(warmup) : 1.0;
    if (done <= decay_from || (decay_to == 0 && decay != Decay::inverse_root)) return up;
    if (decay == Decay::inverse_root)
      return up * std::sqrt(static_cast<double>(decay_from) / static_cast<double>(done));
    auto const left =
        std::max(0.0, static_cast<double>(decay_to - done) / static_cast<double>(decay_to - decay_from));
    if (decay == Decay::linear) return up * (final + (1 - final) * left);
    return up * (final + (1 - final) * 0.5 * (1 - std::cos(std::numbers::pi * left)));
  }
  std::string text() const {
    return "{" + number_text(warmup) + ", " + number_text(decay_from) + ", " + number_text(decay_to) + ", " +
           number_text(static_cast<int>(decay)) + ", " + number_text(final) + "}";
  }
};

}  // namespace consistency
