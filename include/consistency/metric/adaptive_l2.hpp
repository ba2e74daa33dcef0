// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/metric/metric.hpp>

namespace consistency {

/// s / stopgrad(s + ϵ)^p with s = ‖x − y‖², or its mean over the numbers of a sample: a step is as long as
/// ‖x − y‖^{1 − 2p} for large differences (Geng et al. 2025).
struct AdaptiveL2 {
  enum class Of : std::uint8_t { sum, mean };

  double p = 1;
  double epsilon = 1e-3;  ///< ϵ
  Of of = Of::sum;

  void check() const {
    require_setting(p >= 0 && std::isfinite(p), "AdaptiveL2", "p", p, "0 or more, finite");
    require_positive("AdaptiveL2", "epsilon", epsilon);
  }

  auto operator()(Operand auto const& x, Operand auto const& y) const {
    auto const difference = evaluated(square(x - y));  // (n, …)
    auto const s = of == Of::sum ? evaluated(sum_per_sample(difference))
                                 : evaluated(mean_per_sample(difference));  // (n, 1, …)
    auto const weight = evaluated(exp(-p * log(stop_gradient(s) + epsilon)));
    return evaluated(weight * s);
  }
};

}  // namespace consistency
