// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The time s of a parameterization: one number, or one for each sample, (n, 1, …, 1).
template <class S>
concept BoundaryTime = pointwise::Number<S> || Operand<S>;

/// The coefficients of c_skip(t, s) x + c_out(t, s) F(c_in(t) x, c_noise(t)) at times t of the noise process,
/// as values or element-wise chains, where s is the time at which the whole is x: ε for a consistency
/// function, 0 for a denoiser, and r, a time of each sample, for a flow map. Models: EdmPreconditioning,
/// VelocityPreconditioning, TrigonometricPreconditioning, CtmPreconditioning.
/// docs/concepts/parameterization.md
template <class P>
concept Parameterization = requires(P const& p, Tensor<float> const& t, double s) {
  { p.c_skip(t, s) } -> Operand;
  { p.c_out(t, s) } -> Operand;
  { p.c_in(t) } -> Operand;
  { p.c_noise(t) } -> Operand;
  { P::smallest_time } -> std::convertible_to<double>;  // from which on the coefficients are finite
};

/// Whether s may be a time of each sample, as a flow map needs it.
template <class P>
concept FlowMapParameterization = Parameterization<P> && requires(P const& p, Tensor<float> const& t) {
  { p.c_skip(t, t) } -> Operand;
  { p.c_out(t, t) } -> Operand;
};

}  // namespace consistency
