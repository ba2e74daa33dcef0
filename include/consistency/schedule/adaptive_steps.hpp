// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/curriculum.hpp>

namespace consistency {

/// N(k) = ⌈√(k/K ((s₁ + 1)² − s₀²) + s₀²) − 1⌉ + 1 (Song et al. 2023, Appendix C).
struct AdaptiveSteps {
  Index s0 = 2;
  Index s1 = 150;
  Index K = 800000;  ///< total training steps

  void check() const {
    require_setting(s0 >= 1, "AdaptiveSteps", "s0", static_cast<double>(s0), "1 or more");
    require_setting(s1 >= s0 && s1 <= most_intervals, "AdaptiveSteps", "s1", static_cast<double>(s1),
                    "s0 or more, at most 2^30");
    require_setting(K >= 1, "AdaptiveSteps", "K", static_cast<double>(K), "1 or more");
  }
  Index most() const { return s1 + 1; }  ///< the largest N(k)
  Index points(Index k) const {
    auto const first = static_cast<double>(s0);
    auto const last = static_cast<double>(s1 + 1);
    auto const share = static_cast<double>(std::min(k, K)) / static_cast<double>(K);
    auto const root = std::sqrt(share * (last * last - first * first) + first * first);
    return std::max<Index>(1, static_cast<Index>(std::ceil(root - 1))) + 1;
  }
};

}  // namespace consistency
