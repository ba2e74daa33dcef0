// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// d(x, y) ≥ 0 per sample: two values (n, …) to (n, 1, …, 1). Models: L1, L2, LInf, PseudoHuber, ResizedL2,
/// Lpips. A metric may state, as `static constexpr bool`, what theorems about losses ask of it:
///   norm                  d(x, y) = ‖x − y‖ for a norm
///   twice_differentiable  continuous second derivatives in x and in y (Song et al. 2023, Theorems 3, 5, 6)
/// One of tensors of a single type names it as `Numbers`. docs/concepts/metric.md
template <class M>
concept Metric = requires(M const& d, Tensor<float> const& x) {
  { evaluated(d(x, x)) } -> std::convertible_to<Tensor<float>>;
} || requires(M const& d, Tensor<double> const& x) {
  { evaluated(d(x, x)) } -> std::convertible_to<Tensor<double>>;
} || requires(M const& d, typename M::Numbers const& x) {
  { evaluated(d(x, x)) } -> std::convertible_to<typename M::Numbers>;
};

}  // namespace consistency
