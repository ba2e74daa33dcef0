// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <consistency/sampling/one_step.hpp>

namespace consistency {

namespace detail {

/// Throws config_error, naming the index, unless the times decrease strictly inside (ε, T), or (ε, T].
void require_decreasing(char const* where, std::vector<double> const& times, NoiseProcess auto const& process,
                        bool with_T) {
  auto const [epsilon, T] = process.range();
  for (std::size_t i = 0; i < times.size(); ++i) {
    auto const above = i == 0 ? T : times[i - 1];
    auto const at_T = with_T && i == 0 && times[i] == T;
    if (!((times[i] < above || at_T) && times[i] > epsilon))
      fail<config_error>(
          where, "times[" + number_text(i) + "]", number_text(times[i]),
          (with_T && i == 0 ? "above " + number_text(epsilon) + ", at most " + number_text(above)
                            : "strictly between " + number_text(epsilon) + " and " + number_text(above)),
          "Give the times in decreasing order, inside " + process.text() + ".");
  }
}

}  // namespace detail

/// Alternates denoising and adding noise at decreasing times τ (Song et al. 2023, Algorithm 1); with no times
/// it is OneStep.
struct Multistep {
  static constexpr Kind kind = Kind::consistency_function;
  std::vector<double> times = {0.821};  ///< τ₁ > τ₂ > …, inside (ε, T)

  /// Throws config_error, naming the index, unless the times decrease strictly inside (ε, T).
  void check(NoiseProcess auto const& process) const {
    detail::require_decreasing("Multistep", times, process, false);
  }

  template <class X>
  X operator()(auto const& f, NoiseProcess auto const& process, X const& z, Key key,
               std::uint32_t first) const {
    check(process);
    auto const epsilon = process.range().smallest;
    X x = OneStep{}(f, process, z, key, first);  // (n, …)
    std::uint32_t draw = 0;
    for (auto const tau : times) {
      auto const noise = normal<X>(z.shape(), key, {++draw, first});  // (n, …)
      X const x_tau = process.renoise(x, noise, epsilon, tau);        // (n, …)
      x = f(x_tau, detail::time_column(x_tau, tau));                  // (n, …)
    }
    return x;
  }
};
static_assert(Sampler<Multistep>);

}  // namespace consistency
