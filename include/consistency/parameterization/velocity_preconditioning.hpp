// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/parameterization/parameterization.hpp>
#include <consistency/process/linear_path.hpp>

namespace consistency {

/// F is the velocity of the linear process, D = x − t F (Lipman et al. 2023); shifted by s, the whole is
/// where a path of this velocity is at s. In a flow map F is the average velocity from t to s, u(x, t, s)
/// (Geng et al. 2025).
struct VelocityPreconditioning {
  using Process = LinearPath;
  static constexpr double smallest_time = 0;
  static constexpr bool average_velocity = true;  ///< F is u(x, t, s)

  auto c_skip(Operand auto const& t, BoundaryTime auto const&) const { return 0.0 * t + 1.0; }
  auto c_out(Operand auto const& t, BoundaryTime auto const& s) const { return s - t; }
  auto c_in(Operand auto const& t) const { return 0.0 * t + 1.0; }
  auto c_noise(Operand auto const& t) const { return 1.0 * t; }
};
static_assert(FlowMapParameterization<VelocityPreconditioning>);

}  // namespace consistency
