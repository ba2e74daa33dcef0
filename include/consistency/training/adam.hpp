#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/training/optimizer.hpp>

namespace consistency {

/// Adam (Kingma & Ba 2015); ε is added to √v̂.
struct Adam {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  RateSchedule schedule{};

  void check() const {
    require_setting(learning_rate > 0, "Adam", "learning_rate", learning_rate, "a positive number");
    require_setting(beta1 >= 0 && beta1 < 1, "Adam", "beta1", beta1, "0 <= beta1 < 1");
    require_setting(beta2 >= 0 && beta2 < 1, "Adam", "beta2", beta2, "0 <= beta2 < 1");
  }

  MomentStep at(Index k) const {
    auto const t = static_cast<double>(k);
    auto const root = std::sqrt(1 - std::pow(beta2, t));
    auto const rate = learning_rate * schedule.factor(k) / (1 - std::pow(beta1, t));
    return {beta1, beta2, rate * root, epsilon * root, true};
  }
};

}  // namespace consistency
