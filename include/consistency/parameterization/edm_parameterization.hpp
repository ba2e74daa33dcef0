// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/parameterization/parameterization.hpp>

namespace consistency {

/// The preconditioning of EDM shifted so that f(x, ε) = x exactly (Song et al. 2023, Appendix C).
struct EdmParameterization {
  static constexpr bool boundary = true;
  double sigma_data = 0.5;
  double epsilon = 0.002;  ///< the smallest time, ε

  auto c_skip(Operand auto const& t) const { return square_data() / (square(t - epsilon) + square_data()); }
  auto c_out(Operand auto const& t) const {
    return sigma_data * (t - epsilon) / sqrt(square(t) + square_data());
  }
  auto c_in(Operand auto const& t) const { return 1.0 / sqrt(square(t) + square_data()); }
  auto c_noise(Operand auto const& t) const { return 0.25 * log(t); }
  double smallest_time() const { return epsilon; }

 private:
  double square_data() const { return sigma_data * sigma_data; }
};

}  // namespace consistency
