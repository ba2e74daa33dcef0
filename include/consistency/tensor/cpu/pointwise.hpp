// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/broadcast.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/expression.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Elements per chunk of an element-wise loop.
inline constexpr Index pointwise_grain = 32768;

/// Walks a broadcast plan in packs: visit(packs of the N operands, result offset, lanes).
template <class S, std::size_t N, class Visit>
void walk(BroadcastPlan<N> const& plan, std::array<S const*, N> const& from, Visit const& visit) {
  using P = Pack<S>;
  auto const run = [&]<bool Contiguous>(std::array<S const*, N> const& p, Index result, Index begin,
                                        Index end) {
    std::array<P, N> x{};
    for (std::size_t k = 0; k < N; ++k)
      if (!Contiguous && plan.inner_stride[k] == 0) x[k] = P::splat(*p[k]);
    auto i = begin;
    for (; i + P::width <= end; i += P::width) {
      for (std::size_t k = 0; k < N; ++k)
        if (Contiguous || plan.inner_stride[k] != 0) x[k] = P::load(p[k] + i);
      visit(x, result + i, P::width);
    }
    if (i < end) {
      for (std::size_t k = 0; k < N; ++k)
        if (Contiguous || plan.inner_stride[k] != 0) x[k] = P::load_part(p[k] + i, end - i);
      visit(x, result + i, end - i);
    }
  };
  auto const segment = [&](Index at, Index begin, Index end) {
    auto const offset = plan.offsets(at);
    std::array<S const*, N> p;
    for (std::size_t k = 0; k < N; ++k) p[k] = from[k] + offset[k];
    if (plan.contiguous()) {
      run.template operator()<true>(p, at * plan.inner, begin, end);
    } else {
      run.template operator()<false>(p, at * plan.inner, begin, end);
    }
  };
  if (plan.inner >= pointwise_grain) {
    auto const pieces = (plan.inner + pointwise_grain - 1) / pointwise_grain;
    parallel_for(plan.outer * pieces, [&](Index chunk) {
      auto const begin = chunk % pieces * pointwise_grain;
      segment(chunk / pieces, begin, std::min(plan.inner, begin + pointwise_grain));
    });
  } else if (plan.inner > 0) {
    parallel_ranges(plan.outer, std::max<Index>(1, pointwise_grain / plan.inner),
                    [&](Index begin, Index end) {
                      for (auto at = begin; at < end; ++at) segment(at, 0, plan.inner);
                    });
  }
}

template <class P>
void store(P const& value, auto* to, Index lanes) {
  if (lanes == P::width) {
    value.store(to);
  } else {
    value.store_part(to, lanes);
  }
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <class F>
struct cpu::Kernel<Pointwise<F>> {
  template <class S, class... Rest>
  static Tensor<S, Cpu> value(Pointwise<F> const& op, Tensor<S, Cpu> const& x, Rest const&... rest) {
    constexpr auto n = 1 + sizeof...(Rest);
    auto const plan = BroadcastPlan<n>{x.shape(), rest.shape()...};
    auto y = Tensor<S, Cpu>{plan.shape};
    auto* const to = y.mutable_data();
    cpu::walk<S, n>(plan, {x.data(), rest.data()...},
                    [&](std::array<Pack<S>, n> const& v, Index at, Index lanes) {
                      cpu::store(op.f.template eval<0>(v), to + at, lanes);
                    });
    return y;
  }

  /// g · ∂f/∂xₖ for the wanted k, each of the result's shape: all in one pass.
  template <class S, std::size_t N, class... Rest>
  static std::array<Tensor<S, Cpu>, N> vjp(Pointwise<F> const& op, std::array<bool, N> const& wanted,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x, Rest const&... rest) {
    using P = Pack<S>;
    auto const plan = BroadcastPlan<N + 1>{x.shape(), rest.shape()..., g.shape()};
    std::array<Tensor<S, Cpu>, N> result;
    std::array<S*, N> to{};
    for (std::size_t k = 0; k < N; ++k)
      if (wanted[k]) result[k] = Tensor<S, Cpu>{plan.shape}, to[k] = result[k].mutable_data();
    cpu::walk<S, N + 1>(
        plan, {x.data(), rest.data()..., g.data()},
        [&](std::array<P, N + 1> const& v, Index at, Index lanes) {
          [&]<std::size_t... K>(std::index_sequence<K...>) {
            (..., (to[K] ? cpu::store(v[N] * derivative<K, P>(op.f, v, std::make_index_sequence<N>{}),
                                      to[K] + at, lanes)
                         : void()));
          }(std::make_index_sequence<N>{});
        });
    return result;
  }

 private:
  template <std::size_t Along, class P, class V, std::size_t... K>
  static P derivative(F const& f, V const& v, std::index_sequence<K...>) {
    auto const x = std::array<Jet<P>, sizeof...(K)>{Jet<P>{v[K], P(K == Along ? 1.0 : 0.0)}...};
    return f.template eval<0>(x).d;
  }
};

}  // namespace consistency
