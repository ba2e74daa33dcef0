// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/process/process.hpp>

namespace consistency {

/// x_t = (1 − t) x₀ + t z: flow matching, rectified flow (Lipman et al. 2023; Liu et al. 2023). At T = 1 it
/// is noise alone; what is converted to a process of noise levels up to σ has T = σ / (1 + σ), `time(σ)`.
struct LinearPath {
  static constexpr bool straight = true;
  double epsilon = 1e-3;
  double T = 1;
  double rho = 1;  ///< grids are even in t^{1/ρ}

  TimeRange range() const { return {epsilon, T}; }
  /// Throws config_error unless 0 ≤ ε < T ≤ 1.
  void check() const {
    check_range("LinearPath", range(), 1);
    require_positive("LinearPath", "rho", rho);
  }
  std::string text() const {
    return "LinearPath{.epsilon = " + number_text(epsilon) + ", .T = " + number_text(T) +
           ", .rho = " + number_text(rho) + "}";
  }

  auto point(Operand auto const& x0, Operand auto const& z, Operand auto const& t) const {
    return (1.0 - t) * x0 + t * z;
  }
  auto data_velocity(Operand auto const& x0, Operand auto const& z, Operand auto const&) const {
    return z - x0;
  }
  /// v = z − D for the z of x = (1 − t) D + t z.
  auto velocity(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return (x - denoised) / t;
  }
  auto denoised(Operand auto const& x, Operand auto const& velocity, Operand auto const& t) const {
    return x - t * velocity;
  }
  auto score(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return ((1.0 - t) * denoised - x) / square(t);
  }
  auto step(Operand auto const& x, Operand auto const& denoised, Operand auto const& t,
            Operand auto const& s) const {
    return denoised + (s / t) * (x - denoised);
  }
  auto prior(Operand auto const& z) const { return T * z; }
  auto renoise(Operand auto const& x, Operand auto const& z, double s, double t) const {
    auto const kept = (1 - t) / (1 - s);
    return kept * x + std::sqrt(t * t - kept * kept * s * s) * z;
  }

  double scale(double t) const { return 1 - t; }
  double sigma(double t) const { return t / (1 - t); }
  double time(double sigma) const { return sigma / (1 + sigma); }

  friend bool operator==(LinearPath const&, LinearPath const&) = default;
};
static_assert(NoiseProcess<LinearPath>);

}  // namespace consistency
