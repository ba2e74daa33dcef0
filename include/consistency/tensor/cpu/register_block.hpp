// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <consistency/tensor/cpu/pack.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Products are added up in blocks of this many terms, and the blocks' sums after one another: a rounding
/// error passes through depth / sum_length + sum_length additions at most, not through depth.
inline constexpr Index sum_length = 512;

/// A matrix inside a larger array: element (i, j) at data[i · rows + j · columns]; where `run` is given, a
/// divisor of sum_length, columns come in runs of that many, `jump` apart: data[i · rows + j / run · jump +
/// j % run · columns].
template <class S>
struct Strided {
  S const* data;
  Index rows, columns;
  Index run = std::numeric_limits<Index>::max(), jump = 0;
};

/// The register block of the matrix product: `height` rows of A times a panel of two packs of B.
template <class S>
struct Block {
  static constexpr Index width = 2 * Pack<S>::width;
  static constexpr Index height = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 14 : 6;
};

/// What is added to a block of products.
template <class S>
struct Start {
  bool accumulate = false;  ///< what C holds
  S const* bias = nullptr;  ///< or this row; otherwise nothing
};

/// C (Rows × two packs P) = start + Σ_k a(i, k) · panel[k], each block of sum_length terms in the order of k,
/// one multiply-add at a time, fused where P does: a result never depends on how many rows or columns are
/// computed beside it. One of A's strides is 1; rows of the panel are `pitch` apart. The next panel, `next`
/// away, and the next rows of C are on their way into the cache meanwhile.
template <class P, int Rows, bool UnitColumns, class S>
void multiply_block(Strided<S> const& a, S const* panel, Index pitch, Index next, Index depth, S* c,
                    Index ldc, Start<S> const& start) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(S));
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) __builtin_prefetch(c + (Rows + i) * ldc, 1);
  auto const stride = UnitColumns ? a.rows : a.columns;
  auto const run = std::min(a.run, sum_length);
  auto const jump = a.run > sum_length ? sum_length * a.columns : a.jump;
  auto const* from = a.data;
  auto const* first = start.bias;
  auto adds = start.accumulate;
  Index done = 0;
  do {
    std::array<P, Rows> left, right;
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      left[i] = first ? P::load(first) : P(0.0);
      right[i] = first ? P::load(first + P::width) : P(0.0);
    }
    auto const last = std::min(depth, done + sum_length);
    for (; done < last; done += run, from += jump) {
      auto const columns = std::min(run, last - done);
      for (Index k = 0; k < columns; ++k, panel += pitch) {
        auto const b0 = P::load(panel);
        auto const b1 = P::load(panel + P::width);
#pragma GCC unroll 4
        for (Index at = 0; at < 2 * P::width; at += line) __builtin_prefetch(panel + next + at);
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
          auto const x = P::splat(UnitColumns ? from[i * stride + k] : from[k * stride + i]);
          left[i] = fma(x, b0, left[i]);
          right[i] = fma(x, b1, right[i]);
        }
      }
    }
    if (adds) {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        left[i] += P::load(c + i * ldc);
        right[i] += P::load(c + i * ldc + P::width);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      left[i].store(c + i * ldc);
      right[i].store(c + i * ldc + P::width);
    }
    first = nullptr;
    adds = true;
  } while (done < depth);
}

/// multiply_block for a number of rows known at run time, 1 … height.
template <class S, bool UnitColumns>
auto block_for(Index rows) {
  using F = void (*)(Strided<S> const&, S const*, Index, Index, Index, S*, Index, Start<S> const&);
  static constexpr auto table = []<int... K>(std::integer_sequence<int, K...>) {
    return std::array<F, sizeof...(K)>{&multiply_block<Pack<S>, K + 1, UnitColumns>...};
  }(std::make_integer_sequence<int, static_cast<int>(Block<S>::height)>{});
  return table[static_cast<std::size_t>(rows - 1)];
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
