// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/blend_schedule.hpp>

namespace consistency {

/// From 1 to 0 by 1 − sigmoid(γ (k − (K₀ + K₁) / 2) / (K₁ − K₀)), which is 1 above 1 − `snap` and 0 below
/// `snap` (Zhang et al. 2025).
struct SigmoidBlend {
  Index K0 = 600000;
  Index K1 = 1000000;
  double gamma = 25;
  double snap = 5e-3;

  void check() const {
    require_setting(K0 >= 0 && K1 > K0, "SigmoidBlend", "K1", static_cast<double>(K1),
                    "more than K0, which is 0 or more");
    require_positive("SigmoidBlend", "gamma", gamma);
    require_setting(snap >= 0 && snap < 0.5, "SigmoidBlend", "snap", snap, "0 or more, below 1/2");
  }
  double operator()(Index k) const {
    auto const middle = 0.5 * (static_cast<double>(K0) + static_cast<double>(K1));
    auto const share =
        1 / (1 + std::exp(gamma * (static_cast<double>(k) - middle) / static_cast<double>(K1 - K0)));
    return share < snap ? 0 : share > 1 - snap ? 1 : share;
  }
};
static_assert(BlendSchedule<SigmoidBlend>);

}  // namespace consistency
