// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/memory.hpp>

namespace consistency::cuda {

/// C = alpha · A B + beta · C for `batch` pairs of row-major matrices: A (m, k), B (k, n), C (m, n), each
/// stored transposed where so said. A bias (n) is added to every row. Factors may be of a shorter type.
template <class S, class Factor = S>
struct Gemm {
  Index m, n, k;
  Factor const* a;
  Index lda;
  bool a_transposed = false;
  Factor const* b = nullptr;
  Index ldb = 0;
  bool b_transposed = false;
  S* c = nullptr;
  Index ldc = 0;
  double alpha = 1, beta = 0;
  S const* bias = nullptr;
  Index batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
};
template <CompiledScalar S>
void gemm(Gemm<S> const& product);

}  // namespace consistency::cuda
