// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/sampling/one_step.hpp>

namespace consistency {

/// Alternates denoising and adding noise at decreasing times τ (Song et al. 2023, Algorithm 1); with no times
/// it is OneStep.
struct Multistep {
  std::vector<double> times = {0.821};  ///< τ₁ > τ₂ > …, inside (ε, T)
  double sigma_max = 80;
  double epsilon = 0.002;

  /// Throws config_error, naming the index, unless the times decrease strictly inside (ε, T).
  void check() const {
    OneStep{sigma_max}.check();
    require_setting(epsilon >= 0 && epsilon < sigma_max, "Multistep", "epsilon", epsilon,
                    "0 or more, below sigma_max");
    for (std::size_t i = 0; i < times.size(); ++i) {
      auto const above = i == 0 ? sigma_max : times[i - 1];
      if (!(times[i] < above && times[i] > epsilon))
        fail<config_error>("Multistep", "times[" + number_text(i) + "]", number_text(times[i]),
                           "strictly between " + number_text(epsilon) + " and " + number_text(above),
                           "Give the times in decreasing order.");
    }
  }

  template <class X>
  X operator()(auto const& f, Shape const& shape, Key key, std::uint32_t first) const {
    using S = typename X::Scalar;
    check();
    X x = OneStep{sigma_max}.template operator()<X>(f, shape, key, first);  // (n, …)
    std::uint32_t draw = 0;
    for (auto const tau : times) {
      auto const z = normal<X>(shape, key, {++draw, first});             // (n, …)
      X const x_tau = x + std::sqrt(tau * tau - epsilon * epsilon) * z;  // (n, …)
      x = f(x_tau, X(shape.per_sample(), static_cast<S>(tau)));          // (n, …)
    }
    return x;
  }
};

}  // namespace consistency
