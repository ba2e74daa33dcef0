// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/optimizer/optimizer.hpp>
#include <consistency/optimizer/rate_schedule.hpp>

namespace consistency {

/// Adam (Kingma & Ba 2015); ε is added to √v̂.
struct Adam {
  static constexpr auto state_names = moment_names;
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  RateSchedule schedule{};

  void check() const {
    require_positive("Adam", "learning_rate", learning_rate);
    require_rate("Adam", "beta1", beta1);
    require_rate("Adam", "beta2", beta2);
    require_positive("Adam", "epsilon", epsilon);
    schedule.check();
  }

  MomentStep at(Index k) const {
    auto const t = static_cast<double>(k);
    auto const root = std::sqrt(1 - std::pow(beta2, t));
    auto const rate = learning_rate * schedule.factor(k) / (1 - std::pow(beta1, t));
    return {beta1, beta2, rate * root, epsilon * root, true};
  }

  template <class X>
  void update(Update<X>& u) const {
    apply_moments(at(u.k), u);
  }
  std::string text() const {
    return "Adam{" + number_text(learning_rate) + ", " + number_text(beta1) + ", " + number_text(beta2) +
           ", " + number_text(epsilon) + ", " + schedule.text() + "}";
  }
};
static_assert(MomentOptimizer<Adam>);

}  // namespace consistency
