// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The coefficients of D(x, t) = c_skip(t) x + c_out(t) F(c_in(t) x, c_noise(t)). t is the noise level σ, as
/// a value or an element-wise chain. Models: EdmParameterization, EdmPreconditioning.
/// docs/concepts/parameterization.md
template <class P>
concept Parameterization = requires(P const& p, Tensor<float> const& t) {
  { evaluated(p.c_skip(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_out(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_in(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_noise(t)) } -> std::convertible_to<Tensor<float>>;
  { p.smallest_time() } -> std::convertible_to<double>;
  { P::boundary } -> std::convertible_to<bool>;  // whether f(x, ε) = x: a consistency function, no denoiser
};

}  // namespace consistency
