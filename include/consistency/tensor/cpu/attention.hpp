#pragma once

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {

/// C = A · (scale · B) on the calling thread, B packed here.
template <class S>
void multiply_here(Strided<S> a, Strided<S> b, Index rows, Index columns, Index depth, S* c, Index ldc,
                   S scale) {
  auto panel = Tensor<S, Cpu>{Shape{panels<S>(columns), depth, Block<S>::width}};
  for (Index p = 0; p < panels<S>(columns); ++p)
    pack_panel(b, depth, columns, p, panel.mutable_data() + p * depth * Block<S>::width, scale);
  multiply_rows(a, panel.data(), rows, columns, depth, c, ldc);
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
    parallel_for(q.shape()[0] * op.heads, [&](Index at) {
      auto const n = at / op.heads;
      auto const head = at % op.heads * depth;
      cpu::multiply_here<S>({q.data() + n * t * c + head, c, 1}, {k.data() + n * s * c + head, 1, c}, t, s,
                            depth, y.mutable_data() + at * t * s, s, static_cast<S>(op.scale));
    });
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
    parallel_for(p.shape()[0] * heads, [&](Index at) {
      auto const n = at / heads;
      auto const head = at % heads * depth;
      auto const* const weights = p.data() + at * p.shape()[2] * columns;
      auto const left =
          op.transposed ? cpu::Strided<S>{weights, 1, columns} : cpu::Strided<S>{weights, columns, 1};
      cpu::multiply_here<S>(left, {v.data() + n * s * c + head, c, 1}, t, depth, s,
                            y.mutable_data() + n * t * c + head, c, static_cast<S>(op.scale));
    });
    return y;
  }
};

}  // namespace consistency
