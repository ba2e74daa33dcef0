#pragma once

#include <algorithm>
#include <array>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {

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
      auto lanes = P(0.0);
      for (auto i = begin; i < end; i += P::width) lanes += part(from + i, std::min(P::width, end - i));
      *to = sum(lanes);
      return;
    }
    for (auto c = strip; c < std::min(columns, strip + breadth); c += P::width) {
      auto const n = std::min(P::width, columns - c);
      auto lanes = P(0.0);
      for (auto r = begin; r < end; ++r) lanes += part(from + r * columns + c, n);
      store(lanes, to + c, n);
    }
  };
  auto const work = std::max<Index>(1, std::min(m, rows) * std::min(columns, breadth));
  parallel_ranges(batch * pieces * strips, std::max<Index>(1, pointwise_grain / work),
                  [&](Index begin, Index end) {
                    for (auto at = begin; at < end; ++at) run(at);
                  });
  if (pieces > 1) sum_middle(partial.data(), batch, pieces, columns, y);
}

}  // namespace cpu

template <>
struct Kernel<op::SumTo, Cpu> {
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
struct Kernel<op::BroadcastTo, Cpu> {
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
struct Kernel<op::Reshape, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::Reshape const& op, Tensor<S, Cpu> const& x) {
    return x.reshaped(op.result(x.shape()));
  }
};

template <>
struct Kernel<op::Softmax, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::Softmax const&, Tensor<S, Cpu> const& x) {
    using P = Pack<S>;
    auto y = Tensor<S, Cpu>{x.shape()};
    auto const columns = x.shape().back();
    rows_of(x, [&](Index r) {
      auto const* const from = x.data() + r * columns;
      auto* const to = y.mutable_data() + r * columns;
      auto const top = P::splat(*std::max_element(from, from + columns));
      auto total = P(0.0);
      for (Index c = 0; c < columns; c += P::width) {
        auto const n = std::min(P::width, columns - c);
        auto const e = exp((n == P::width ? P::load(from + c) : P::load_part(from + c, n)) - top);
        cpu::store(e, to + c, n);
        total += n == P::width ? e : P::load_part(to + c, n);
      }
      auto const scale = P::splat(S(1) / sum(total));
      for (Index c = 0; c < columns; c += P::width) {
        auto const n = std::min(P::width, columns - c);
        cpu::store((n == P::width ? P::load(to + c) : P::load_part(to + c, n)) * scale, to + c, n);
      }
    });
    return y;
  }

  /// y (g − Σ g y)
  template <class S>
  static Tensor<S, Cpu> vjp(Tensor<S, Cpu> const& y, Tensor<S, Cpu> const& g) {
    using P = Pack<S>;
    auto result = Tensor<S, Cpu>{y.shape()};
    auto const columns = y.shape().back();
    rows_of(y, [&](Index r) {
      auto const* const p = y.data() + r * columns;
      auto const* const q = g.data() + r * columns;
      auto const part = [](S const* from, Index n) {
        return n == P::width ? P::load(from) : P::load_part(from, n);
      };
      auto total = P(0.0);
      for (Index c = 0; c < columns; c += P::width) {
        auto const n = std::min(P::width, columns - c);
        total += part(p + c, n) * part(q + c, n);
      }
      auto const mean = P::splat(sum(total));
      for (Index c = 0; c < columns; c += P::width) {
        auto const n = std::min(P::width, columns - c);
        cpu::store(part(p + c, n) * (part(q + c, n) - mean), result.mutable_data() + r * columns + c, n);
      }
    });
    return result;
  }

 private:
  static void rows_of(auto const& x, auto const& row) {
    auto const columns = std::max<Index>(1, x.shape().back());
    parallel_ranges(x.shape().rows(), std::max<Index>(1, 8192 / columns), [&](Index begin, Index end) {
      for (auto r = begin; r < end; ++r) row(r);
    });
  }
};

}  // namespace consistency
