#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {

/// C = A · (scale · B) for every of `count` pairs of matrices that left(i), right(i) and result(i) give: all
/// B into panels first, then rows of all C on all threads.
template <class S>
void multiply_each(Index count, Index rows, Index columns, Index depth, Index ldc, S scale, auto const& left,
                   auto const& right, auto const& result) {
  constexpr auto width = Block<S>::width;
  auto const per_matrix = panels<S>(columns);
  auto panel = Tensor<S, Cpu>{Shape{count, per_matrix, depth, width}};
  parallel_for(count * per_matrix, [&](Index i) {
    pack_panel(right(i / per_matrix), depth, columns, i % per_matrix,
               panel.mutable_data() + i * depth * width, scale);
  });
  constexpr Index worth = Index{1} << 18;  // multiply-adds per chunk
  auto const stretch =
      std::max<Index>(1, worth / std::max<Index>(1, columns * depth * Block<S>::height)) * Block<S>::height;
  auto const stretches = (rows + stretch - 1) / stretch;
  parallel_for(count * stretches, [&](Index i) {
    auto const at = i / stretches;
    auto const first = i % stretches * stretch;
    auto const a = left(at);
    multiply_rows<S>({a.data + first * a.rows, a.rows, a.columns},
                     panel.data() + at * per_matrix * depth * width, std::min(stretch, rows - first), columns,
                     depth, result(at) + first * ldc, ldc);
  });
}

}  // namespace cpu

template <>
struct Kernel<op::AttentionScores, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::AttentionScores const& op, Tensor<S, Cpu> const& q,
                              Tensor<S, Cpu> const& k) {
    auto y = Tensor<S, Cpu>{op.result(q.shape(), k.shape())};
    auto const t = q.shape()[1];
    auto const s = k.shape()[1];
    auto const c = q.shape()[2];
    auto const depth = c / op.heads;
    // Head `at` of all samples: its channels in a row of length `length`.
    auto const head = [&](Index at, Index length) {
      return at / op.heads * length * c + at % op.heads * depth;
    };
    cpu::multiply_each<S>(
        q.shape()[0] * op.heads, t, s, depth, s, static_cast<S>(op.scale),
        [&](Index at) {
          return cpu::Strided<S>{q.data() + head(at, t), c, 1};
        },
        [&](Index at) {
          return cpu::Strided<S>{k.data() + head(at, s), 1, c};
        },
        [&](Index at) { return y.mutable_data() + at * t * s; });
    return y;
  }
};

template <>
struct Kernel<op::AttentionMix, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::AttentionMix const& op, Tensor<S, Cpu> const& p, Tensor<S, Cpu> const& v) {
    auto y = Tensor<S, Cpu>{op.result(p.shape(), v.shape())};
    auto const heads = p.shape()[1];
    auto const columns = p.shape()[3];
    auto const t = y.shape()[1];
    auto const s = v.shape()[1];
    auto const c = v.shape()[2];
    auto const depth = c / heads;
    auto const head = [&](Index at, Index length) { return at / heads * length * c + at % heads * depth; };
    cpu::multiply_each<S>(
        p.shape()[0] * heads, t, depth, s, c, static_cast<S>(op.scale),
        [&](Index at) {
          auto const* const weights = p.data() + at * p.shape()[2] * columns;
          return op.transposed ? cpu::Strided<S>{weights, 1, columns} : cpu::Strided<S>{weights, columns, 1};
        },
        [&](Index at) {
          return cpu::Strided<S>{v.data() + head(at, s), c, 1};
        },
        [&](Index at) { return y.mutable_data() + head(at, t); });
    return y;
  }
};

}  // namespace consistency
