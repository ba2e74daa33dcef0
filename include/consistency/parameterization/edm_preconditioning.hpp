// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/parameterization/parameterization.hpp>
#include <consistency/process/variance_exploding.hpp>

namespace consistency {

/// The preconditioning of EDM (Karras et al. 2022, Table 1, column "Ours"), shifted by s so that the whole is
/// x at t = s (Song et al. 2023, Appendix C).
struct EdmPreconditioning {
  using Process = VarianceExploding;
  static constexpr double smallest_time = 1e-6;
  double sigma_data = 0.5;

  void check() const { require_positive("EdmPreconditioning", "sigma_data", sigma_data); }

  auto c_skip(Operand auto const& t, BoundaryTime auto const& s) const {
    return square_data() / (square(t - s) + square_data());
  }
  auto c_out(Operand auto const& t, BoundaryTime auto const& s) const {
    return sigma_data * (t - s) / sqrt(square(t) + square_data());
  }
  auto c_in(Operand auto const& t) const { return 1.0 / sqrt(square(t) + square_data()); }
  auto c_noise(Operand auto const& t) const { return 0.25 * log(t); }

 private:
  double square_data() const { return sigma_data * sigma_data; }
};
static_assert(FlowMapParameterization<EdmPreconditioning>);

}  // namespace consistency
