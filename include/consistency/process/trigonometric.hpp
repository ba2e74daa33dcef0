// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <numbers>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/process/process.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// TrigFlow: x_t = cos t x₀ + sin t σ_d z, an angle t whose noise level is σ_d tan t (Lu & Song 2024, Section
/// 3.1). The default ends are the noise levels 0.002 and 80.
struct Trigonometric {
  static constexpr bool straight = false;
  double sigma_data = 0.5;  ///< σ_d, the standard deviation of the data
  double epsilon = std::atan(0.002 / sigma_data);
  double T = std::atan(80 / sigma_data);
  double rho = 1;  ///< grids are even in t^{1/ρ}

  TimeRange range() const { return {epsilon, T}; }
  /// Throws config_error unless σ_d > 0 and 0 ≤ ε < T ≤ π/2.
  void check() const {
    require_positive("Trigonometric", "sigma_data", sigma_data);
    check_range("Trigonometric", range(), std::numbers::pi / 2);
    require_positive("Trigonometric", "rho", rho);
  }
  std::string text() const {
    return "Trigonometric{.sigma_data = " + number_text(sigma_data) + ", .epsilon = " + number_text(epsilon) +
           ", .T = " + number_text(T) + ", .rho = " + number_text(rho) + "}";
  }

  auto point(Operand auto const& x0, Operand auto const& z, Operand auto const& t) const {
    return cosine(t) * x0 + evaluated(sigma_data * sin(t)) * z;
  }
  auto data_velocity(Operand auto const& x0, Operand auto const& z, Operand auto const& t) const {
    return evaluated(sigma_data * cos(t)) * z - sine(t) * x0;
  }
  auto velocity(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return (cosine(t) * x - denoised) / sine(t);
  }
  auto denoised(Operand auto const& x, Operand auto const& velocity, Operand auto const& t) const {
    return cosine(t) * x - sine(t) * velocity;
  }
  auto score(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) const {
    return (cosine(t) * denoised - x) / evaluated(square(sigma_data * sin(t)));
  }
  auto step(Operand auto const& x, Operand auto const& denoised, Operand auto const& t,
            Operand auto const& s) const {
    return evaluated(sin(s) / sin(t)) * x + evaluated(sin(t - s) / sin(t)) * denoised;
  }
  auto prior(Operand auto const& z) const { return sigma_data * std::sin(T) * z; }
  auto renoise(Operand auto const& x, Operand auto const& z, double s, double t) const {
    auto const kept = std::cos(t) / std::cos(s);
    auto const more = std::pow(std::sin(t), 2) - std::pow(kept * std::sin(s), 2);
    return kept * x + sigma_data * std::sqrt(more) * z;
  }

  double scale(double t) const { return std::cos(t); }
  double sigma(double t) const { return sigma_data * std::tan(t); }
  double time(double sigma) const { return std::atan(sigma / sigma_data); }

  friend bool operator==(Trigonometric const&, Trigonometric const&) = default;

 private:
  // Once for each sample, not for each of its numbers.
  static auto cosine(Operand auto const& t) { return evaluated(cos(t)); }
  static auto sine(Operand auto const& t) { return evaluated(sin(t)); }
};
static_assert(NoiseProcess<Trigonometric>);

}  // namespace consistency
