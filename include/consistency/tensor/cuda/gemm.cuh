// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>

#include <consistency/tensor/cuda/memory.cuh>

#ifdef __CUDACC__
#include <consistency/tensor/cuda/gemm_cublas.cuh>
#else
#include <consistency/tensor/cuda/gemm_host.cuh>
#endif

namespace consistency::cuda {

/// The upper half of a float, rounded to nearest, ties to even; NaN stays NaN.
struct BFloat16 {
  std::uint16_t bits;

  CONSISTENCY_HD static BFloat16 rounded(float x) {
    std::uint32_t u = 0;
    memcpy(&u, &x, sizeof(u));
    if (x != x) return {static_cast<std::uint16_t>(u >> 16U | 0x40U)};
    return {static_cast<std::uint16_t>((u + 0x7fffU + (u >> 16U & 1U)) >> 16U)};
  }
  CONSISTENCY_HD explicit operator float() const {
    auto const u = std::uint32_t{bits} << 16U;
    float x = 0;
    memcpy(&x, &u, sizeof(x));
    return x;
  }
};

/// `batch` matrices of rows × columns without gaps, rounded to bfloat16 and stored as that or as float.
template <class T>
struct RoundFactor {
  float const* from;
  T* to;
  Extent rows, columns, pitch;
  Index stride;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const matrix = i / columns / rows;
    to[i] =
        static_cast<T>(BFloat16::rounded(from[matrix * stride + i / columns % rows * pitch + i % columns]));
  }
};

template <class T>
void round_factor(float const* from, Index batch, Index rows, Index columns, Index pitch, Index stride,
                  T* to) {
  for_each(batch * rows * columns,
           RoundFactor<T>{from, to, static_cast<Extent>(rows), static_cast<Extent>(columns),
                          static_cast<Extent>(pitch), stride});
}

inline void multiply_rounded(Gemm<float> const& p) {
  auto const stored = [](bool transposed, Index rows, Index columns) {
    return transposed ? std::pair{columns, rows} : std::pair{rows, columns};
  };
  auto const [a_rows, a_columns] = stored(p.a_transposed, p.m, p.k);
  auto const [b_rows, b_columns] = stored(p.b_transposed, p.k, p.n);
  Buffer<BFloat16> const a{p.batch * a_rows * a_columns}, b{p.batch * b_rows * b_columns};
  round_factor(p.a, p.batch, a_rows, a_columns, p.lda, p.stride_a, a.data());
  round_factor(p.b, p.batch, b_rows, b_columns, p.ldb, p.stride_b, b.data());
  multiply<float, BFloat16>({.m = p.m,
                             .n = p.n,
                             .k = p.k,
                             .a = a.data(),
                             .lda = a_columns,
                             .a_transposed = p.a_transposed,
                             .b = b.data(),
                             .ldb = b_columns,
                             .b_transposed = p.b_transposed,
                             .c = p.c,
                             .ldc = p.ldc,
                             .alpha = p.alpha,
                             .beta = p.beta,
                             .bias = p.bias,
                             .batch = p.batch,
                             .stride_a = a_rows * a_columns,
                             .stride_b = b_rows * b_columns,
                             .stride_c = p.stride_c});
}

template <class S>
struct FillRows {
  S* to;
  S const* bias;  // may be null
  Extent columns, pitch;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const column = i % columns;
    to[i / columns * pitch + column] = bias == nullptr ? S(0) : bias[column];
  }
};

template <CompiledScalar S>
void gemm(Gemm<S> const& p) {
  if (p.m == 0 || p.n == 0 || p.batch == 0) return;
  if (p.k == 0) {  // an empty sum
    for (Index i = 0; i < p.batch && p.beta == 0; ++i)
      for_each(p.m * p.n, FillRows<S>{p.c + i * p.stride_c, p.bias, static_cast<Extent>(p.n),
                                      static_cast<Extent>(p.ldc)});
    return;
  }
  if constexpr (std::is_same_v<S, float>)
    if (precision() == Precision::bfloat16) return multiply_rounded(p);
  multiply<S, S>(p);
}

}  // namespace consistency::cuda
