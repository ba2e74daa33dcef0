// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Panels of `count` matrices scale · B (depth × columns) that matrix(i) gives: (count, panels, depth,
/// width).
template <class S>
Tensor<S, Cpu> packed_each(Index count, Index depth, Index columns, S scale, auto const& matrix) {
  constexpr auto width = Block<S>::width;
  auto const per_matrix = panels<S>(columns);
  auto result = Tensor<S, Cpu>{Shape{count, per_matrix, depth, width}};
  parallel_for(count * per_matrix, [&](Index i) {
    pack_panel(matrix(i / per_matrix), depth, columns, i % per_matrix,
               result.mutable_data() + i * depth * width, scale);
  });
  return result;
}
/// Those of matrix i.
template <class S>
S const* panels_of(Tensor<S, Cpu> const& packed, Index i) {
  return packed.data() + i * packed.shape()[1] * packed.shape()[2] * packed.shape()[3];
}

/// C = A · (scale · B) for every of `count` pairs of matrices that left(i), right(i) and result(i) give: all
/// B into panels first, then rows of all C on all threads.
template <class S>
void multiply_each(Index count, Index rows, Index columns, Index depth, Index ldc, S scale, auto const& left,
                   auto const& right, auto const& result) {
  auto const panel = packed_each(count, depth, columns, scale, right);
  constexpr Index worth = Index{1} << 18;  // multiply-adds per chunk
  auto const stretch =
      std::max<Index>(1, worth / std::max<Index>(1, columns * depth * Block<S>::height)) * Block<S>::height;
  auto const stretches = (rows + stretch - 1) / stretch;
  parallel_for(count * stretches, [&](Index i) {
    auto const at = i / stretches;
    auto const first = i % stretches * stretch;
    auto const a = left(at);
    multiply_rows<S>({a.data + first * a.rows, a.rows, a.columns}, panels_of(panel, at),
                     std::min(stretch, rows - first), columns, depth, result(at) + first * ldc, ldc);
  });
}

/// Where the heads of x (n, rows, channels) are: head `at` of all samples' heads, from row `first` on.
template <class S>
struct Heads {
  Index heads, channels, depth;  ///< channels of all heads, and of one

  Heads(Index count, Index all) : heads{count}, channels{all}, depth{all / count} {}

  Index offset(Shape const& x, Index at, Index first = 0) const {
    return (at / heads * x[1] + first) * channels + at % heads * depth;
  }
  Strided<S> rows(Tensor<S, Cpu> const& x, Index at, Index first = 0) const {
    return {x.data() + offset(x.shape(), at, first), channels, 1};
  }
  Strided<S> transposed(Tensor<S, Cpu> const& x, Index at) const {
    return {x.data() + offset(x.shape(), at), 1, channels};
  }
};

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<op::AttentionScores> {
  template <class S>
  static Tensor<S, Cpu> value(op::AttentionScores const& op, Tensor<S, Cpu> const& q,
                              Tensor<S, Cpu> const& k) {
    auto y = Tensor<S, Cpu>{op.result(q.shape(), k.shape())};
    auto const heads = cpu::Heads<S>{op.heads, q.shape()[2]};
    auto const t = q.shape()[1];
    auto const s = k.shape()[1];
    cpu::multiply_each<S>(
        q.shape()[0] * op.heads, t, s, heads.depth, s, static_cast<S>(op.scale),
        [&](Index at) { return heads.rows(q, at); }, [&](Index at) { return heads.transposed(k, at); },
        [&](Index at) { return y.mutable_data() + at * t * s; });
    return y;
  }
};

template <>
struct cpu::Kernel<op::AttentionMix> {
  template <class S>
  static Tensor<S, Cpu> value(op::AttentionMix const& op, Tensor<S, Cpu> const& p, Tensor<S, Cpu> const& v) {
    auto y = Tensor<S, Cpu>{op.result(p.shape(), v.shape())};
    auto const heads = cpu::Heads<S>{p.shape()[1], v.shape()[2]};
    auto const columns = p.shape()[3];
    cpu::multiply_each<S>(
        p.shape()[0] * heads.heads, y.shape()[1], heads.depth, v.shape()[1], heads.channels,
        static_cast<S>(op.scale),
        [&](Index at) {
          auto const* const weights = p.data() + at * p.shape()[2] * columns;
          return op.transposed ? cpu::Strided<S>{weights, 1, columns} : cpu::Strided<S>{weights, columns, 1};
        },
        [&](Index at) { return heads.rows(v, at); },
        [&](Index at) { return y.mutable_data() + heads.offset(y.shape(), at); });
    return y;
  }
};

}  // namespace consistency
