// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cuda/gemm.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

template <>
struct Kernel<op::Linear, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Linear const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w) {
    return forward<S>(op.result(x.shape(), w.shape()), x, w, nullptr);
  }
  template <class S>
  static Tensor<S, Cuda> value(op::Linear const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w,
                               Tensor<S, Cuda> const& b) {
    return forward<S>(op.result(x.shape(), w.shape(), b.shape()), x, w, b.data());
  }

  template <class S>
  static std::array<Tensor<S, Cuda>, 2> vjp(op::Linear const&, std::array<bool, 2> const& wanted,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w) {
    std::array<Tensor<S, Cuda>, 2> result;
    auto const rows = x.shape().rows();
    auto const k = w.shape()[0];
    auto const n = w.shape()[1];
    if (wanted[0]) {
      result[0] = Tensor<S, Cuda>{x.shape()};
      cuda::gemm<S>({.m = rows,
                     .n = k,
                     .k = n,
                     .a = g.data(),
                     .lda = n,
                     .b = w.data(),
                     .ldb = n,
                     .b_transposed = true,
                     .c = result[0].mutable_data(),
                     .ldc = k});
    }
    if (wanted[1]) {
      result[1] = Tensor<S, Cuda>{w.shape()};
      cuda::gemm<S>({.m = k,
                     .n = n,
                     .k = rows,
                     .a = x.data(),
                     .lda = k,
                     .a_transposed = true,
                     .b = g.data(),
                     .ldb = n,
                     .c = result[1].mutable_data(),
                     .ldc = n});
    }
    return result;
  }

 private:
  template <class S>
  static Tensor<S, Cuda> forward(Shape shape, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w,
                                 S const* bias) {
    Tensor<S, Cuda> y{shape};
    auto const k = w.shape()[0];
    auto const n = w.shape()[1];
    cuda::gemm<S>({.m = shape.rows(),
                   .n = n,
                   .k = k,
                   .a = x.data(),
                   .lda = k,
                   .b = w.data(),
                   .ldb = n,
                   .c = y.mutable_data(),
                   .ldc = n,
                   .bias = bias});
    return y;
  }
};

}  // namespace consistency
