// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cuda/layout.hpp>
#include <consistency/tensor/cuda/reduce.hpp>

namespace consistency {

namespace cuda {

/// The operands of op::GroupNorm. scale and shift have `sample_stride` numbers for each sample: c, or 0 where
/// shared.
template <class S>
struct GroupNormRun {
  Index n, pixels, c, groups;
  double epsilon;
  bool silu;
  S const* x;
  S const* scale;
  S const* shift;
  Index sample_stride;
  S* statistics;  // (n, groups, 2): mean and 1 / √(variance + ε) of each group
};
/// Fills `statistics`.
template <CompiledScalar S>
void group_statistics(GroupNormRun<S> const& work);
template <CompiledScalar S>
void group_norm(GroupNormRun<S> const& work, S* y);
/// sums (n, 2, c): Σ gu x̂ and Σ gu over the pixels, where gu is the gradient before SiLU, scale and shift.
template <CompiledScalar S>
void group_norm_sums(GroupNormRun<S> const& work, S const* g, S* sums);
template <CompiledScalar S>
void group_norm_gradient(GroupNormRun<S> const& work, S const* g, S const* sums, S* dx);

}  // namespace cuda

template <>
struct Kernel<op::GroupNorm, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::GroupNorm const& op, Tensor<S, Cuda> const& x,
                               Tensor<S, Cuda> const& scale, Tensor<S, Cuda> const& shift) {
    Tensor<S, Cuda> y{op.result(x.shape(), scale.shape(), shift.shape())};
    Tensor<S, Cuda> statistics{Shape{x.shape()[0], op.groups, 2}};
    auto const work = run(op, x, scale, shift, statistics);
    cuda::group_statistics(work);
    cuda::group_norm(work, y.mutable_data());
    return y;
  }

  template <class S>
  static std::array<Tensor<S, Cuda>, 3> vjp(op::GroupNorm const& op, std::array<bool, 3> const& wanted,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& scale,
                                            Tensor<S, Cuda> const& shift) {
    auto const samples = x.shape()[0];
    auto const c = x.shape()[3];
    Tensor<S, Cuda> statistics{Shape{samples, op.groups, 2}};
    Tensor<S, Cuda> sums{Shape{samples, 2 * c}};  // ∂L/∂scale and ∂L/∂shift of each sample
    auto const work = run(op, x, scale, shift, statistics);
    cuda::group_statistics(work);
    cuda::group_norm_sums(work, g.data(), sums.mutable_data());
    std::array<Tensor<S, Cuda>, 3> result;
    if (wanted[0]) {
      result[0] = Tensor<S, Cuda>{x.shape()};
      cuda::group_norm_gradient(work, g.data(), sums.data(), result[0].mutable_data());
    }
    for (std::size_t k = 1; k < 3; ++k) {
      if (!wanted[k]) continue;
      auto const first = static_cast<Index>(k - 1) * c;
      auto const d = apply(op::Slice{first, first + c}, sums);
      result[k] = scale.shape().rank() == 4 ? d.reshaped({samples, 1, 1, c}) : apply(op::SumTo{Shape{c}}, d);
    }
    return result;
  }

 private:
  template <class S>
  static cuda::GroupNormRun<S> run(op::GroupNorm const& op, Tensor<S, Cuda> const& x,
                                   Tensor<S, Cuda> const& scale, Tensor<S, Cuda> const& shift,
                                   Tensor<S, Cuda>& statistics) {
    auto const& s = x.shape();
    return {.n = s[0],
            .pixels = s[1] * s[2],
            .c = s[3],
            .groups = op.groups,
            .epsilon = op.epsilon,
            .silu = op.silu,
            .x = x.data(),
            .scale = scale.data(),
            .shift = shift.data(),
            .sample_stride = scale.shape().rank() == 4 ? s[3] : 0,
            .statistics = statistics.mutable_data()};
  }
};

}  // namespace consistency
