// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <consistency/sampling/one_step.hpp>

namespace consistency {

/// Alternates denoising and adding noise at decreasing times τ (Song et al. 2023, Algorithm 1); with no times
/// it is OneStep.
struct Multistep {
  static constexpr Kind kind = Kind::consistency_function;
  std::vector<double> times = {0.821};  ///< τ₁ > τ₂ > …, inside (ε, T)

  /// Throws config_error, naming the index, unless the times decrease strictly inside (ε, T).
  void check(NoiseProcess auto const& process) const {
    auto const [epsilon, T] = process.range();
    for (std::size_t i = 0; i < times.size(); ++i) {
      auto const above = i == 0 ? T : times[i - 1];
      if (!(times[i] < above && times[i] > epsilon))
        fail<config_error>("Multistep", "times[" + number_text(i) + "]", number_text(times[i]),
                           "strictly between " + number_text(epsilon) + " and " + number_text(above),
                           "Give the times in decreasing order, inside " + process.text() + ".");
    }
  }

  template <class X>
  X operator()(auto const& f, NoiseProcess auto const& process, Shape const& shape, Key key,
               std::uint32_t first) const {
    using S = typename X::Scalar;
    check(process);
    auto const epsilon = process.range().smallest;
    X x = OneStep{}.template operator()<X>(f, process, shape, key, first);  // (n, …)
    std::uint32_t draw = 0;
    for (auto const tau : times) {
      auto const z = normal<X>(shape, key, {++draw, first});     // (n, …)
      X const x_tau = process.renoise(x, z, epsilon, tau);       // (n, …)
      x = f(x_tau, X(shape.per_sample(), static_cast<S>(tau)));  // (n, …)
    }
    return x;
  }
};
static_assert(Sampler<Multistep>);

}  // namespace consistency
