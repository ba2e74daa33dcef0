#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

#include <consistency/core/check.hpp>
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

/// Rectified Adam (Liu et al. 2020). Its first updates, while ρ_k ≤ 5, take the averaged gradient as it is:
/// with β₂ = 0.999 these are the first five.
struct RAdam {
  double learning_rate = 4e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  RateSchedule schedule{};

  void check() const {
    require_setting(learning_rate > 0, "RAdam", "learning_rate", learning_rate, "a positive number");
    require_setting(beta1 >= 0 && beta1 < 1, "RAdam", "beta1", beta1, "0 <= beta1 < 1");
    require_setting(beta2 >= 0 && beta2 < 1, "RAdam", "beta2", beta2, "0 <= beta2 < 1");
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

 private:
  double limit() const { return 2 / (1 - beta2) - 1; }  // ρ_∞
};

}  // namespace consistency
