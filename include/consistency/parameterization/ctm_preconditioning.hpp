// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>

namespace consistency {

/// (s / t) x + (1 − s / t) D(x, t) with a D in EDM's preconditioning, which may see s: the point at s of the
/// straight line from x to D (Kim et al. 2023).
struct CtmPreconditioning {
  using Process = VarianceExploding;
  static constexpr double smallest_time = EdmPreconditioning::smallest_time;
  double sigma_data = 0.5;

  void check() const { require_positive("CtmPreconditioning", "sigma_data", sigma_data); }

  auto c_skip(Operand auto const& t, BoundaryTime auto const& s) const {
    return s / t + (1.0 - s / t) * D().c_skip(t, 0.0);
  }
  auto c_out(Operand auto const& t, BoundaryTime auto const& s) const {
    return (1.0 - s / t) * D().c_out(t, 0.0);
  }
  auto c_in(Operand auto const& t) const { return D().c_in(t); }
  auto c_noise(Operand auto const& t) const { return D().c_noise(t); }

 private:
  EdmPreconditioning D() const { return {sigma_data}; }
};
static_assert(FlowMapParameterization<CtmPreconditioning>);

}  // namespace consistency
