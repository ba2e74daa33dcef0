// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/gemm.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

/// Head h owns channels [h · depth, (h + 1) · depth): one batch of products for each.
template <>
struct Kernel<op::AttentionScores, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::AttentionScores const& op, Tensor<S, Cuda> const& q,
                               Tensor<S, Cuda> const& k) {
    Tensor<S, Cuda> y{op.result(q.shape(), k.shape())};
    auto const t = q.shape()[1];
    auto const s = k.shape()[1];
    auto const c = q.shape()[2];
    auto const depth = c / op.heads;
    for (Index head = 0; head < op.heads; ++head)
      cuda::gemm<S>({.m = t,
                     .n = s,
                     .k = depth,
                     .a = q.data() + head * depth,
                     .lda = c,
                     .b = k.data() + head * depth,
                     .ldb = c,
                     .b_transposed = true,
                     .c = y.mutable_data() + head * t * s,
                     .ldc = s,
                     .alpha = op.scale,
                     .batch = q.shape()[0],
                     .stride_a = t * c,
                     .stride_b = s * c,
                     .stride_c = op.heads * t * s});
    return y;
  }
};

template <>
struct Kernel<op::AttentionMix, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::AttentionMix const& op, Tensor<S, Cuda> const& p,
                               Tensor<S, Cuda> const& v) {
    Tensor<S, Cuda> y{op.result(p.shape(), v.shape())};
    auto const heads = p.shape()[1];
    auto const weights = p.shape()[2] * p.shape()[3];  // of a head
    auto const t = y.shape()[1];
    auto const s = v.shape()[1];
    auto const c = v.shape()[2];
    auto const depth = c / heads;
    for (Index head = 0; head < heads; ++head)
      cuda::gemm<S>({.m = t,
                     .n = depth,
                     .k = s,
                     .a = p.data() + head * weights,
                     .lda = p.shape()[3],
                     .a_transposed = op.transposed,
                     .b = v.data() + head * depth,
                     .ldb = c,
                     .c = y.mutable_data() + head * depth,
                     .ldc = c,
                     .alpha = op.scale,
                     .batch = p.shape()[0],
                     .stride_a = heads * weights,
                     .stride_b = s * c,
                     .stride_c = t * c});
    return y;
  }
};

}  // namespace consistency
