// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// W (height × columns) = Σ_r left(r)ᵀ · g[r]: the gradient of weights, summed over rows in pieces that
/// depend on shapes alone. `left(begin, end, buffer)` yields rows [begin, end) of the left factor as (rows ×
/// height).
template <class S, class Left>
Tensor<S, Cpu> weight_gradient(Index rows, Index height, Index columns, S const* g, Left const& left) {
  constexpr Index stretch = 224;  // rows per product: the left factor stays in cache
  auto const budget = std::max<Index>(1, (Index{1} << 22) / std::max<Index>(1, height * columns));
  auto const most = std::max<Index>(1, std::min<Index>(16, budget));
  auto const stretches = std::max<Index>(1, (rows + stretch - 1) / stretch);
  auto const per_piece = (stretches + most - 1) / most * stretch;
  auto const pieces = std::max<Index>(1, (rows + per_piece - 1) / per_piece);
  auto partial = Tensor<S, Cpu>{Shape{pieces, height, columns}};
  parallel_for(pieces, [&](Index piece) {
    auto* const to = partial.mutable_data() + piece * height * columns;
    std::fill_n(to, height * columns, S(0));
    auto panel = Tensor<S, Cpu>{Shape{panels<S>(columns), stretch, Block<S>::width}};
    auto buffer = Tensor<S, Cpu>{Shape{stretch, height}};
    auto const last = std::min(rows, (piece + 1) * per_piece);
    for (auto begin = piece * per_piece; begin < last; begin += stretch) {
      auto const end = std::min(last, begin + stretch);
      auto const depth = end - begin;
      auto const* const a = left(begin, end, buffer.mutable_data());
      for (Index p = 0; p < panels<S>(columns); ++p)
        pack_panel<S>({g + begin * columns, columns, 1}, depth, columns, p,
                      panel.mutable_data() + p * depth * Block<S>::width);
      multiply_rows<S>({a, 1, height}, panel.data(), height, columns, depth, to, columns,
                       {.accumulate = true});
    }
  });
  if (pieces == 1) return partial.reshaped({height, columns});
  auto w = Tensor<S, Cpu>{Shape{height, columns}};
  sum_middle(partial.data(), 1, pieces, height * columns, w.mutable_data());
  return w;
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<op::Linear> {
  template <class S>
  static Tensor<S, Cpu> value(op::Linear const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w) {
    return product(op.result(x.shape(), w.shape()), x, w, static_cast<S const*>(nullptr));
  }
  template <class S>
  static Tensor<S, Cpu> value(op::Linear const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w,
                              Tensor<S, Cpu> const& b) {
    return product(op.result(x.shape(), w.shape(), b.shape()), x, w, b.data());
  }

  /// (g Wᵀ, xᵀ g)
  template <class S>
  static std::array<Tensor<S, Cpu>, 2> vjp(op::Linear const&, std::array<bool, 2> const& wanted,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w) {
    std::array<Tensor<S, Cpu>, 2> result;
    auto const k = w.shape()[0];
    auto const n = w.shape()[1];
    if (wanted[0]) {
      result[0] = Tensor<S, Cpu>{x.shape()};
      cpu::multiply<S>({g.data(), n, 1}, cpu::packed_form(w, {w.data(), 1, n}, n, k, cpu::Panels::of_columns),
                       x.shape().rows(), k, n, result[0].mutable_data());
    }
    if (wanted[1])
      result[1] = cpu::weight_gradient<S>(x.shape().rows(), k, n, g.data(),
                                          [&](Index begin, Index, S*) { return x.data() + begin * k; });
    return result;
  }

 private:
  template <class S>
  static Tensor<S, Cpu> product(Shape shape, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w,
                                S const* bias) {
    auto y = Tensor<S, Cpu>{shape};
    auto const k = w.shape()[0];
    auto const n = w.shape()[1];
    cpu::multiply<S>({x.data(), k, 1}, cpu::packed_form(w, {w.data(), n, 1}, k, n), shape.rows(), n, k,
                     y.mutable_data(), bias);
    return y;
  }
};

}  // namespace consistency
