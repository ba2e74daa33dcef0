// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/parameterization/parameterization.hpp>
#include <consistency/process/trigonometric.hpp>

namespace consistency {

/// f = cos(t − s) x − sin(t − s) σ_d F(x / σ_d, t): F is the velocity of the trigonometric process in units
/// of σ_d (Lu & Song 2024, Eq. 5, where s = 0).
struct TrigonometricPreconditioning {
  using Process = Trigonometric;
  static constexpr double smallest_time = 0;
  double sigma_data = 0.5;  ///< that of the process

  void check() const { require_positive("TrigonometricPreconditioning", "sigma_data", sigma_data); }

  auto c_skip(Operand auto const& t, BoundaryTime auto const& s) const { return cos(t - s); }
  auto c_out(Operand auto const& t, BoundaryTime auto const& s) const { return -sigma_data * sin(t - s); }
  auto c_in(Operand auto const& t) const { return 0.0 * t + 1 / sigma_data; }
  auto c_noise(Operand auto const& t) const { return 1.0 * t; }
};
static_assert(FlowMapParameterization<TrigonometricPreconditioning>);

}  // namespace consistency
