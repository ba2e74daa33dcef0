// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <consistency/tensor/cpu/avx2_pack.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>
#include <consistency/tensor/cpu/pack.hpp>

namespace consistency::cpu {

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

#if CONSISTENCY_CHOOSES_AVX2
/// The widest pack that a product may be computed with.
template <class S>
using WidestPack = Avx2Pack<S>;
/// For what is compiled as a part of functions for several targets.
#define CONSISTENCY_INLINED [[gnu::always_inline]] inline
#else
template <class S>
using WidestPack = Pack<S>;
#define CONSISTENCY_INLINED
#endif

/// The register block of the matrix product: `height` rows of A times a panel of two packs of B.
template <class S>
struct Block {
  static constexpr Index width = 2 * WidestPack<S>::width;
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
CONSISTENCY_INLINED void multiply_block(Strided<S> const& a, S const* panel, Index pitch, Index next,
                                        Index depth, S* c, Index ldc, Start<S> const& start) {
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

#if CONSISTENCY_CHOOSES_AVX2
/// The whole width of a block by AVX2 and FMA, for processors that have them.
template <class S, int Rows, bool UnitColumns>
[[gnu::target("avx2,fma")]] void multiply_by_avx2(Strided<S> const& a, S const* panel, Index pitch,
                                                  Index next, Index depth, S* c, Index ldc,
                                                  Start<S> const& start) {
  multiply_block<Avx2Pack<S>, Rows, UnitColumns>(a, panel, pitch, next, depth, c, ldc, start);
}

/// The whole width in strips of the packs that the compiler targets, for the others.
template <class S, int Rows, bool UnitColumns>
void multiply_by_strips(Strided<S> const& a, S const* panel, Index pitch, Index next, Index depth, S* c,
                        Index ldc, Start<S> const& start) {
  for (Index at = 0; at < Block<S>::width; at += 2 * Pack<S>::width)
    multiply_block<Pack<S>, Rows, UnitColumns>(
        a, panel + at, pitch, next, depth, c + at, ldc,
        Start<S>{start.accumulate, start.bias ? start.bias + at : nullptr});
}
#endif

/// multiply_block for a number of rows known at run time, 1 … height.
template <class S, bool UnitColumns>
auto block_for(Index rows, Version version = chosen_version()) {
  using F = void (*)(Strided<S> const&, S const*, Index, Index, Index, S*, Index, Start<S> const&);
  static constexpr auto tables = []<int... K>(std::integer_sequence<int, K...>) {
    using Table = std::array<F, sizeof...(K)>;
#if CONSISTENCY_CHOOSES_AVX2
    return std::array<Table, 2>{Table{&multiply_by_strips<S, K + 1, UnitColumns>...},
                                Table{&multiply_by_avx2<S, K + 1, UnitColumns>...}};
#else
    return std::array<Table, 1>{Table{&multiply_block<Pack<S>, K + 1, UnitColumns>...}};
#endif
  }(std::make_integer_sequence<int, static_cast<int>(Block<S>::height)>{});
  return tables[static_cast<std::size_t>(version)][static_cast<std::size_t>(rows - 1)];
}

}  // namespace consistency::cpu

#undef CONSISTENCY_INLINED
