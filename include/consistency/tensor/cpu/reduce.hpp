// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/long_sum.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// y[b, k] = Σ_m x[b, m, k]. Partial sums over pieces of m whose size depends on the shape alone, added in
/// order.
template <class S>
void sum_middle(S const* x, Index batch, Index m, Index columns, S* y) {
  using P = Pack<S>;
  constexpr Index breadth = 1024;
  auto const rows = columns == 1 ? 8192 : std::max<Index>(16, 8192 / std::max<Index>(1, columns));
  auto const pieces = std::max<Index>(1, (m + rows - 1) / rows);
  auto const strips = (columns + breadth - 1) / breadth;
  auto partial = Tensor<S, Cpu>{Shape{batch, pieces == 1 ? 0 : pieces, columns}};
  auto* const out = pieces == 1 ? y : partial.mutable_data();
  auto const part = [](S const* from, Index n) {
    return n == P::width ? P::load(from) : P::load_part(from, n);
  };
  auto const run = [&](Index at) {
    auto const strip = at % strips * breadth;
    auto const piece = at / strips;
    auto const begin = piece % pieces * rows;
    auto const end = std::min(m, begin + rows);
    auto const* const from = x + piece / pieces * m * columns;
    auto* const to = out + piece * columns;
    if (columns == 1) {
      *to = sum(long_sum<S>(begin, end, P::width,
                            [&](Index i) { return part(from + i, std::min(P::width, end - i)); }));
      return;
    }
    for (auto c = strip; c < std::min(columns, strip + breadth); c += P::width) {
      auto const n = std::min(P::width, columns - c);
      store(long_sum<S>(begin, end, 1, [&](Index r) { return part(from + r * columns + c, n); }), to + c, n);
    }
  };
  auto const work = std::max<Index>(1, std::min(m, rows) * std::min(columns, breadth));
  parallel_ranges(batch * pieces * strips, std::max<Index>(1, pointwise_grain / work),
                  [&](Index begin, Index end) {
                    for (auto at = begin; at < end; ++at) run(at);
                  });
  if (pieces > 1) sum_middle(partial.data(), batch, pieces, columns, y);
}

/// y = exp(x − max x) / Σ …; y may be x.
template <class S>
void softmax_row(S const* x, Index columns, S* y) {
  using P = Pack<S>;
  auto const top = P::splat(*std::max_element(x, x + columns));
  auto const total = long_sum<S>(0, columns, P::width, [&](Index c) {
    auto const n = std::min(P::width, columns - c);
    auto const e = exp(P::load(x + c, n) - top);
    e.store(y + c, n);
    return n == P::width ? e : P::load_part(y + c, n);
  });
  auto const scale = P::splat(S(1) / sum(total));
  for (Index c = 0; c < columns; c += P::width) {
    auto const n = std::min(P::width, columns - c);
    (P::load(y + c, n) * scale).store(y + c, n);
  }
}

/// The derivative of softmax at its value y, which is symmetric: to = y (d − Σ y d); `to` may be d.
template <class S>
void softmax_derivative_row(S const* y, S const* d, Index columns, S* to) {
  using P = Pack<S>;
  auto const mean = P::splat(sum(long_sum<S>(0, columns, P::width, [&](Index c) {
    auto const n = std::min(P::width, columns - c);
    return P::load(y + c, n) * P::load(d + c, n);
  })));
  for (Index c = 0; c < columns; c += P::width) {
    auto const n = std::min(P::width, columns - c);
    (P::load(y + c, n) * (P::load(d + c, n) - mean)).store(to + c, n);
  }
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<op::SumTo> {
  template <class S>
  static Tensor<S, Cpu> value(op::SumTo const& op, Tensor<S, Cpu> const& x) {
    auto const target = op.result(x.shape());
    if (target.count() == x.count()) return x.reshaped(target);
    auto current = x;
    for_summed_axes(x.shape(), target, [&](Index batch, Index m, Index columns) {
      auto next = Tensor<S, Cpu>{Shape{batch, columns}};
      cpu::sum_middle(current.data(), batch, m, columns, next.mutable_data());
      current = next;
    });
    return current.reshaped(target);
  }
};

template <>
struct cpu::Kernel<op::BroadcastTo> {
  template <class S>
  static Tensor<S, Cpu> value(op::BroadcastTo const& op, Tensor<S, Cpu> const& x) {
    auto const target = op.result(x.shape());
    if (target.count() == x.count()) return x.reshaped(target);
    auto const plan = BroadcastPlan<1>{std::array{x.shape()}, target};
    auto y = Tensor<S, Cpu>{target};
    auto* const to = y.mutable_data();
    cpu::walk<S, 1>(plan, {x.data()}, [&](std::array<Pack<S>, 1> const& v, Index at, Index lanes) {
      cpu::store(v[0], to + at, lanes);
    });
    return y;
  }
};

template <>
struct cpu::Kernel<op::Reshape> {
  template <class S>
  static Tensor<S, Cpu> value(op::Reshape const& op, Tensor<S, Cpu> const& x) {
    return x.reshaped(op.result(x.shape()));
  }
};

template <>
struct cpu::Kernel<op::Softmax> {
  template <class S>
  static Tensor<S, Cpu> value(op::Softmax const&, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{x.shape()};
    rows_of(
        x, [&](Index at, Index columns) { cpu::softmax_row(x.data() + at, columns, y.mutable_data() + at); });
    return y;
  }

  template <class S>
  static std::array<Tensor<S, Cpu>, 1> vjp(op::Softmax const&, std::array<bool, 1> const&,
                                           Tensor<S, Cpu> const& y, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const&) {
    auto result = Tensor<S, Cpu>{y.shape()};
    rows_of(y, [&](Index at, Index columns) {
      cpu::softmax_derivative_row(y.data() + at, g.data() + at, columns, result.mutable_data() + at);
    });
    return {result};
  }

 private:
  static void rows_of(auto const& x, auto const& row) {
    auto const columns = x.shape().back();
    parallel_ranges(x.shape().rows(), std::max<Index>(1, 8192 / std::max<Index>(1, columns)),
                    [&](Index begin, Index end) {
                      for (auto r = begin; r < end; ++r) row(r * columns, columns);
                    });
  }
};

}  // namespace consistency
