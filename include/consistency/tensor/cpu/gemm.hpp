#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency::cpu {

/// A matrix inside a larger array: element (i, j) at data[i · rows + j · columns]; where `run` is given,
/// columns come in runs of that many, `jump` apart: data[i · rows + j / run · jump + j % run · columns].
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

/// What a block of C starts from.
template <class S>
struct Start {
  bool accumulate = false;  ///< what C holds
  S const* bias = nullptr;  ///< or this row; otherwise 0
};

/// C (Rows × width) = start + Σ_k a(i, k) · panel[k], each sum in the order of k, one fused multiply-add at a
/// time: a result never depends on how many rows or columns are computed beside it. One of A's strides is 1;
/// rows of the panel are `pitch` apart. The next panel, `next` away, and the next rows of C are on their way
/// into the cache meanwhile.
template <class S, int Rows, bool UnitColumns>
void multiply_block(Strided<S> const& a, S const* panel, Index pitch, Index next, Index depth, S* c,
                    Index ldc, Start<S> const& start) {
  using P = Pack<S>;
  constexpr Index line = 64 / static_cast<Index>(sizeof(S));
  std::array<P, Rows> left, right;
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    __builtin_prefetch(c + (Rows + i) * ldc, 1);
    left[i] = start.accumulate ? P::load(c + i * ldc) : start.bias ? P::load(start.bias) : P(0.0);
    right[i] = start.accumulate ? P::load(c + i * ldc + P::width)
               : start.bias     ? P::load(start.bias + P::width)
                                : P(0.0);
  }
  auto const stride = UnitColumns ? a.rows : a.columns;
  auto const* from = a.data;
  for (Index done = 0; done < depth; done += a.run, from += a.jump) {
    auto const columns = std::min(a.run, depth - done);
    for (Index k = 0; k < columns; ++k, panel += pitch) {
      auto const b0 = P::load(panel);
      auto const b1 = P::load(panel + P::width);
#pragma GCC unroll 4
      for (Index at = 0; at < Block<S>::width; at += line) __builtin_prefetch(panel + next + at);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        auto const x = P::splat(UnitColumns ? from[i * stride + k] : from[k * stride + i]);
        left[i] = fma(x, b0, left[i]);
        right[i] = fma(x, b1, right[i]);
      }
    }
    if (columns < a.run) break;
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    left[i].store(c + i * ldc);
    right[i].store(c + i * ldc + P::width);
  }
}

/// multiply_block for a number of rows known at run time, 1 … height.
template <class S, bool UnitColumns>
auto block_for(Index rows) {
  using F = void (*)(Strided<S> const&, S const*, Index, Index, Index, S*, Index, Start<S> const&);
  static constexpr auto table = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<F, sizeof...(I)>{&multiply_block<S, I + 1, UnitColumns>...};
  }(std::make_integer_sequence<int, static_cast<int>(Block<S>::height)>{});
  return table[static_cast<std::size_t>(rows - 1)];
}

/// block(first row, rows) for rows cut into blocks of nearly equal height.
template <class S>
void for_blocks(Index rows, auto const& block) {
  auto const blocks = (rows + Block<S>::height - 1) / Block<S>::height;
  for (Index row = 0, b = 0; b < blocks; ++b) {
    auto const height = (rows - row + blocks - b - 1) / (blocks - b);
    block(row, height);
    row += height;
  }
}

template <class S>
Index panels(Index columns) {
  return (columns + Block<S>::width - 1) / Block<S>::width;
}

/// Copies columns of B (depth × columns) into panels of Block::width, zeros behind the last column.
template <class S>
void pack_panel(Strided<S> b, Index depth, Index columns, Index panel, S* to, S scale = S(1)) {
  constexpr auto width = Block<S>::width;
  auto const first = panel * width;
  auto const n = std::min(width, columns - first);
  for (Index k = 0; k < depth; ++k, to += width) {
    auto const* const from = b.data + k * b.rows + first * b.columns;
    for (Index j = 0; j < n; ++j) to[j] = scale * from[j * b.columns];
    for (Index j = n; j < width; ++j) to[j] = S(0);
  }
}

template <class S>
Tensor<S, Cpu> packed(Strided<S> b, Index depth, Index columns, S scale = S(1)) {
  auto const count = panels<S>(columns);
  auto result = Tensor<S, Cpu>{Shape{count, depth, Block<S>::width}};
  parallel_ranges(
      count, std::max<Index>(1, 16384 / (depth * Block<S>::width + 1)), [&](Index begin, Index end) {
        for (auto p = begin; p < end; ++p)
          pack_panel(b, depth, columns, p, result.mutable_data() + p * depth * Block<S>::width, scale);
      });
  return result;
}

/// B in panels, kept with the tensor it is a matrix of where that keeps forms.
template <class S>
Tensor<S, Cpu> packed_form(Tensor<S, Cpu> const& of, Strided<S> b, Index depth, Index columns) {
  auto const kept = of.kept_form(b.columns == 1 ? 0 : 1, [&] { return packed(b, depth, columns); });
  return kept.defined() ? kept : packed(b, depth, columns);
}

/// C (rows × columns, leading dimension ldc) = [C +] A · B [+ bias], B in panels; on the calling thread.
template <class S>
void multiply_rows(Strided<S> a, S const* b, Index rows, Index columns, Index depth, S* c, Index ldc,
                   Start<S> start = {}) {
  using B = Block<S>;
  std::array<S, static_cast<std::size_t>(B::height * B::width)> edge;
  std::array<S, static_cast<std::size_t>(B::width)> edge_bias{};
  for (Index p = 0; p < panels<S>(columns); ++p) {
    auto const first = p * B::width;
    auto const n = std::min(B::width, columns - first);
    auto const* const panel = b + p * depth * B::width;
    auto from = Start<S>{start.accumulate, start.bias ? start.bias + first : nullptr};
    if (from.bias && n < B::width) {
      std::copy_n(from.bias, n, edge_bias.begin());
      from.bias = edge_bias.data();
    }
    for_blocks<S>(rows, [&](Index row, Index height) {
      auto const multiply = a.columns == 1 ? block_for<S, true>(height) : block_for<S, false>(height);
      auto const part = Strided<S>{a.data + row * a.rows, a.rows, a.columns};
      auto* const to = c + row * ldc + first;
      if (n == B::width) return multiply(part, panel, B::width, depth * B::width, depth, to, ldc, from);
      if (from.accumulate)
        for (Index i = 0; i < height; ++i) std::copy_n(to + i * ldc, n, edge.data() + i * B::width);
      multiply(part, panel, B::width, depth * B::width, depth, edge.data(), B::width, from);
      for (Index i = 0; i < height; ++i) std::copy_n(edge.data() + i * B::width, n, to + i * ldc);
    });
  }
}

/// C = A · B [+ bias] on all threads, cut into groups of rows; B is in panels.
template <class S>
void multiply(Strided<S> a, Tensor<S, Cpu> const& panel, Index rows, Index columns, Index depth, S* c,
              S const* bias = nullptr) {
  constexpr auto height = Block<S>::height;
  constexpr Index worth = Index{1} << 21;  // multiply-adds that pay for waking a thread
  auto const grain = std::max<Index>(8, worth / (columns * depth * height + 1)) * height;
  parallel_ranges(rows, grain, [&](Index begin, Index end) {
    multiply_rows<S>({a.data + begin * a.rows, a.rows, a.columns}, panel.data(), end - begin, columns, depth,
                     c + begin * columns, columns, {.bias = bias});
  });
}

}  // namespace consistency::cpu
