// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

#include <consistency/tensor/cuda/gemm.hpp>

namespace consistency::cuda {

/// The stand-in for cuBLASLt where there is no GPU.
template <class S, class Factor>
void multiply(Gemm<S, Factor> const& p) {
  using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  auto const factor = [](Factor const* from, Index rows, Index columns, Index pitch, bool transposed) {
    Matrix x{rows, columns};
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j)
        x(i, j) = static_cast<S>(from[transposed ? j * pitch + i : i * pitch + j]);
    return x;
  };
  for (Index i = 0; i < p.batch; ++i) {
    Matrix const product = factor(p.a + i * p.stride_a, p.m, p.k, p.lda, p.a_transposed) *
                           factor(p.b + i * p.stride_b, p.k, p.n, p.ldb, p.b_transposed);
    auto c = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>{p.c + i * p.stride_c, p.m, p.n,
                                                         Eigen::OuterStride<>{p.ldc}};
    if (p.beta == 0) {
      c = static_cast<S>(p.alpha) * product;
    } else {
      c = static_cast<S>(p.alpha) * product + static_cast<S>(p.beta) * c;
    }
    if (p.bias) c.rowwise() += Eigen::Map<Eigen::Matrix<S, 1, Eigen::Dynamic> const>{p.bias, p.n};
  }
}

}  // namespace consistency::cuda
