// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/process/process.hpp>

namespace consistency {

/// x_t = x₀ + t z: a time is a noise level σ (Karras et al. 2022; Song et al. 2023, Section 2).
struct VarianceExploding {
  static constexpr bool straight = true;
  double epsilon = 0.002;
  double T = 80;
  double rho = 7;  ///< grids are even in t^{1/ρ}

  TimeRange range() const { return {epsilon, T}; }
  /// Throws config_error unless 0 < ε < T and the squares of times are floats.
  void check() const {
    constexpr auto advice = "The paper's values are epsilon 0.002, T 80, rho 7.";
    if (!(epsilon >= 1e-18 && std::isfinite(epsilon)))
      fail<config_error>("VarianceExploding", "epsilon", number_text(epsilon),
                         "at least 1e-18, whose square float holds", advice);
    if (!(T > epsilon && T <= 1e18))
      fail<config_error>("VarianceExploding", "T", number_text(T),
                         "more than epsilon, at most 1e18, whose square float holds", advice);
    require_positive("VarianceExploding", "rho", rho);
  }
  std::string text() const {
    return "VarianceExploding{.epsilon = " + number_text(epsilon) + ", .T = " + number_text(T) +
           ", .rho = " + number_text(rho) + "}";
  }

  auto point(Operand auto const& x0, Operand auto const& z, Operand auto const& t) const {
    return x0 + t * z;
  }
  auto data_velocity(Operand auto const&, Operand auto const& z, Operand auto const&) const { return z; }
  /// dx/dt = (x − D) / t (Song et al. 2023, Eq. 2; Karras et al. 2022, Eq. 3).
  auto velocity(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return (x - denoised) / t;
  }
  auto denoised(Operand auto const& x, Operand auto const& velocity, Operand auto const& t) const {
    return x - t * velocity;
  }
  auto score(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return (denoised - x) / square(t);
  }
  auto step(Operand auto const& x, Operand auto const& denoised, Operand auto const& t,
            Operand auto const& s) const {
    return denoised + (s / t) * (x - denoised);
  }
  auto prior(Operand auto const& z) const { return T * z; }
  auto renoise(Operand auto const& x, Operand auto const& z, double s, double t) const {
    return x + std::sqrt(t * t - s * s) * z;
  }

  double scale(double) const { return 1; }
  double sigma(double t) const { return t; }
  double time(double sigma) const { return sigma; }

  friend bool operator==(VarianceExploding const&, VarianceExploding const&) = default;
};
static_assert(NoiseProcess<VarianceExploding>);

}  // namespace consistency
