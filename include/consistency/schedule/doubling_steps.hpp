// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/curriculum.hpp>

namespace consistency {

/// N(k) = min(s₀ 2^⌊k/K′⌋, s₁) + 1 with K′ = ⌊K / (log₂⌊s₁/s₀⌋ + 1)⌋ (Song & Dhariwal 2023, Section 3.4).
struct DoublingSteps {
  Index s0 = 10;
  Index s1 = 1280;
  Index K = 400000;

  void check() const {
    require_setting(s0 >= 1, "DoublingSteps", "s0", static_cast<double>(s0), "1 or more");
    require_setting(s1 >= s0 && s1 <= most_intervals, "DoublingSteps", "s1", static_cast<double>(s1),
                    "s0 or more, at most 2^30");
    require_setting(K >= 1, "DoublingSteps", "K", static_cast<double>(K), "1 or more");
  }
  Index most() const { return s1 + 1; }  ///< the largest N(k)
  Index points(Index k) const {
    auto const stages = std::log2(std::floor(static_cast<double>(s1) / static_cast<double>(s0))) + 1;
    auto const stage = std::max<Index>(1, static_cast<Index>(std::floor(static_cast<double>(K) / stages)));
    auto const doublings = std::min<Index>(k / stage, 60);
    auto const scaled = static_cast<double>(s0) * std::exp2(static_cast<double>(doublings));
    return (scaled >= static_cast<double>(s1) ? s1 : static_cast<Index>(scaled)) + 1;
  }
};

}  // namespace consistency
