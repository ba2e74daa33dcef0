// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/parameterization/parameterization.hpp>

namespace consistency {

/// Preconditioning of a denoiser (Karras et al. 2022, Table 1, column "Ours").
struct EdmPreconditioning {
  static constexpr bool boundary = false;
  double sigma_data = 0.5;

  auto c_skip(Operand auto const& t) const { return square_data() / (square(t) + square_data()); }
  auto c_out(Operand auto const& t) const { return sigma_data * t / sqrt(square(t) + square_data()); }
  auto c_in(Operand auto const& t) const { return 1.0 / sqrt(square(t) + square_data()); }
  auto c_noise(Operand auto const& t) const { return 0.25 * log(t); }
  double smallest_time() const { return 1e-6; }

 private:
  double square_data() const { return sigma_data * sigma_data; }
};

}  // namespace consistency
