// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The coefficients of c_skip(t, s) x + c_out(t, s) F(c_in(t) x, c_noise(t)) at times t of the noise process,
/// as values or element-wise chains, where s is the time at which the whole is x: ε for a consistency
/// function, 0 for a denoiser. Models: EdmPreconditioning, VelocityPreconditioning,
/// TrigonometricPreconditioning. docs/concepts/parameterization.md
template <class P>
concept Parameterization = requires(P const& p, Tensor<float> const& t, double s) {
  { p.c_skip(t, s) } -> Operand;
  { p.c_out(t, s) } -> Operand;
  { p.c_in(t) } -> Operand;
  { p.c_noise(t) } -> Operand;
  { P::smallest_time } -> std::convertible_to<double>;  // from which on the coefficients are finite
};

}  // namespace consistency
