// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/optimizer/optimizer.hpp>
#include <consistency/optimizer/rate_schedule.hpp>

namespace consistency {

/// Rectified Adam (Liu et al. 2020). Its first updates, while ρ_k ≤ 5, take the averaged gradient as it is:
/// with β₂ = 0.999 these are the first five.
struct RAdam {
  static constexpr auto state_names = moment_names;
  double learning_rate = 4e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  RateSchedule schedule{};

  void check() const {
    require_positive("RAdam", "learning_rate", learning_rate);
    require_rate("RAdam", "beta1", beta1);
    require_rate("RAdam", "beta2", beta2);
    require_positive("RAdam", "epsilon", epsilon);
    schedule.check();
  }

  /// Length of the approximated moving average, ρ_k.
  double length(Index k) const {
    auto const t = static_cast<double>(k);
    auto const decay = std::pow(beta2, t);
    return limit() - 2 * t * decay / (1 - decay);
  }
  /// Variance rectification r_k, for ρ_k > 5.
  double rectification(Index k) const {
    auto const rho = length(k);
    return std::sqrt((rho - 4) * (rho - 2) * limit() / ((limit() - 4) * (limit() - 2) * rho));
  }

  MomentStep at(Index k) const {
    auto const t = static_cast<double>(k);
    auto const rate = learning_rate * schedule.factor(k) / (1 - std::pow(beta1, t));
    if (length(k) <= 5) return {beta1, beta2, rate, epsilon, false};
    return {beta1, beta2, rate * rectification(k) * std::sqrt(1 - std::pow(beta2, t)), epsilon, true};
  }

  template <class X>
  void update(Update<X>& u) const {
    apply_moments(at(u.k), u);
  }
  std::string text() const {
    return "RAdam{" + number_text(learning_rate) + ", " + number_text(beta1) + ", " + number_text(beta2) +
           ", " + number_text(epsilon) + ", " + schedule.text() + "}";
  }

 private:
  double limit() const { return 2 / (1 - beta2) - 1; }  // ρ_∞
};
static_assert(MomentOptimizer<RAdam>);

}  // namespace consistency
