// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/register_block.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

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

/// Which matrix of a tensor's numbers is kept in panels.
enum class Panels { of_rows, of_columns };

/// B in panels, made once where the tensor that it is a matrix of is prepared.
template <class S>
Tensor<S, Cpu> packed_form(Tensor<S, Cpu> const& of, Strided<S> b, Index depth, Index columns,
                           Panels form = Panels::of_rows) {
  auto const make = [&] { return packed(b, depth, columns); };
  auto const known = of.prepared_form(static_cast<int>(form), make);
  return known.defined() ? known : make();
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

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
