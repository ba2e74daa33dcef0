// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/attention_products.hpp>
#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

/// By blocks of rows, whose weights stay in the cache and are never in memory together.
template <>
struct cpu::Kernel<op::Attention> {
  template <class S>
  static Tensor<S, Cpu> value(op::Attention const& op, Tensor<S, Cpu> const& q, Tensor<S, Cpu> const& k,
                              Tensor<S, Cpu> const& v) {
    auto y = Tensor<S, Cpu>{op.result(q.shape(), k.shape(), v.shape())};
    auto const plan = Plan<S>{op, q, k};
    auto const keys = plan.transposed(k, plan.scale);
    auto const values = plan.rows(v);
    plan.for_blocks(plan.block, [&](Index at, Index first, Index last) {
      auto weights = Tensor<S, Cpu>{Shape{plan.block, plan.s}};
      plan.weigh(q, keys, at, first, last, weights.mutable_data());
      plan.mix(weights.data(), values, at, first, last, y);
    });
    return y;
  }

  /// The formulas stand in tensor/attention.hpp; here too the weights are computed again.
  template <class S>
  static std::array<Tensor<S, Cpu>, 3> vjp(op::Attention const& op, std::array<bool, 3> const& wanted,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& q, Tensor<S, Cpu> const& k,
                                           Tensor<S, Cpu> const& v) {
    auto const plan = Plan<S>{op, q, k};
    auto const keys = plan.transposed(k, plan.scale), values = plan.transposed(v);
    auto const key_rows = plan.rows(k, plan.scale);
    // Sums over rows in a few stretches whose length depends on shapes alone, added in order.
    auto const stretch = Plan<S>::even_part(plan.t, std::clamp<Index>(plan.t / (2 * plan.block), 1, 8));
    auto const stretches = (plan.t + stretch - 1) / stretch;
    auto const sums = Shape{stretches, k.shape()[0], plan.s, plan.heads.channels};
    auto dq = wanted[0] ? Tensor<S, Cpu>{q.shape()} : Tensor<S, Cpu>{};
    auto dk = wanted[1] ? Tensor<S, Cpu>{sums} : Tensor<S, Cpu>{};
    auto dv = wanted[2] ? Tensor<S, Cpu>{sums} : Tensor<S, Cpu>{};
    plan.for_blocks(stretch, [&](Index at, Index begin, Index end) {
      auto weights = Tensor<S, Cpu>{Shape{2, plan.block, plan.s}};
      auto* const p = weights.mutable_data();
      auto* const ds = p + plan.block * plan.s;
      auto panel = Tensor<S, Cpu>{Shape{cpu::panels<S>(plan.heads.depth), plan.block, cpu::Block<S>::width}};
      auto const place = begin / stretch * k.shape().count() + plan.heads.offset(k.shape(), at);
      for (auto first = begin; first < end; first += plan.block) {
        auto const last = std::min(end, first + plan.block);
        plan.weigh(q, keys, at, first, last, p);
        auto const add = cpu::Start<S>{.accumulate = first > begin};
        if (wanted[2])
          plan.add_transposed(p, g, S(1), at, first, last, panel, dv.mutable_data() + place, add);
        if (!wanted[0] && !wanted[1]) continue;
        plan.score(g, values, at, first, last, ds);
        plan.differentiate(p, last - first, ds);
        if (wanted[0]) plan.mix(ds, key_rows, at, first, last, dq);
        if (wanted[1])
          plan.add_transposed(ds, q, plan.scale, at, first, last, panel, dk.mutable_data() + place, add);
      }
    });
    return {dq, total(dk, k.shape()), total(dv, v.shape())};
  }

  /// dy = p dv + p (ds − Σ p ds) v with ds = scale · (dq kᵀ + q dkᵀ). An undefined tangent means zero.
  template <class S>
  static Tensor<S, Cpu> jvp(op::Attention const& op, Tensor<S, Cpu> const& q, Tensor<S, Cpu> const& k,
                            Tensor<S, Cpu> const& v, Tensor<S, Cpu> const& dq, Tensor<S, Cpu> const& dk,
                            Tensor<S, Cpu> const& dv) {
    auto const plan = Plan<S>{op, q, k};
    auto const moves = dq.defined() || dk.defined();
    auto const keys = plan.transposed(k, plan.scale);
    auto const key_moves = dk.defined() ? plan.transposed(dk, plan.scale) : dk;
    auto const values = moves ? plan.rows(v) : Tensor<S, Cpu>{};
    auto const value_moves = dv.defined() ? plan.rows(dv) : dv;
    auto dy = Tensor<S, Cpu>{q.shape()};
    plan.for_blocks(plan.block, [&](Index at, Index first, Index last) {
      auto weights = Tensor<S, Cpu>{Shape{2, plan.block, plan.s}};
      auto* const p = weights.mutable_data();
      auto* const ds = p + plan.block * plan.s;
      plan.weigh(q, keys, at, first, last, p);
      if (moves) {
        if (dq.defined()) plan.score(dq, keys, at, first, last, ds);
        if (dk.defined()) plan.score(q, key_moves, at, first, last, ds, {.accumulate = dq.defined()});
        plan.differentiate(p, last - first, ds);
        plan.mix(ds, values, at, first, last, dy);
      }
      if (dv.defined()) plan.mix(p, value_moves, at, first, last, dy, {.accumulate = moves});
    });
    return dy;
  }

 private:
  /// The sum of the parts, which are undefined where it is not wanted.
  template <class S>
  static Tensor<S, Cpu> total(Tensor<S, Cpu> const& parts, Shape const& shape) {
    if (!parts.defined()) return {};
    if (parts.shape()[0] == 1) return parts.reshaped(shape);
    auto result = Tensor<S, Cpu>{shape};
    cpu::sum_middle(parts.data(), 1, parts.shape()[0], shape.count(), result.mutable_data());
    return result;
  }

  /// How the work is cut, and the products of one block: rows [first, last) of head `at` of all samples'
  /// heads.
  template <class S>
  struct Plan {
    using Array = Tensor<S, Cpu>;
    cpu::Heads<S> heads;
    Index count, t, s, block;
    S scale;

    Plan(op::Attention const& op, Array const& q, Array const& k)
        : heads{op.heads, q.shape()[2]},
          count{q.shape()[0] * op.heads},
          t{q.shape()[1]},
          s{k.shape()[1]},
          block{even_part(t, (t + most_rows(s) - 1) / most_rows(s))},
          scale{static_cast<S>(op.scale(q.shape()))} {}

    /// Rows whose weights stay in the cache.
    static Index most_rows(Index columns) {
      return std::clamp<Index>(65536 / columns / cpu::Block<S>::height, 1, 10) * cpu::Block<S>::height;
    }
    /// The length, 1 or more, of `parts` nearly equal parts of so many rows.
    static Index even_part(Index rows, Index parts) {
      return std::max<Index>(1, (rows + parts - 1) / std::max<Index>(1, parts));
    }

    void for_blocks(Index rows, auto const& body) const {
      auto const blocks = (t + rows - 1) / rows;
      parallel_for(count * blocks, [&](Index i) {
        auto const first = i % blocks * rows;
        body(i / blocks, first, std::min(t, first + rows));
      });
    }

    /// factor · xᵀ and factor · x of each head, as right factors of products.
    Array transposed(Array const& x, S factor = S(1)) const {
      return cpu::packed_each(count, heads.depth, s, factor,
                              [&](Index at) { return heads.transposed(x, at); });
    }
    Array rows(Array const& x, S factor = S(1)) const {
      return cpu::packed_each(count, s, heads.depth, factor, [&](Index at) { return heads.rows(x, at); });
    }

    /// to (rows × s) = x · right
    void score(Array const& x, Array const& right, Index at, Index first, Index last, S* to,
               cpu::Start<S> start = {}) const {
      cpu::multiply_rows<S>(heads.rows(x, at, first), cpu::panels_of(right, at), last - first, s, heads.depth,
                            to, s, start);
    }
    void weigh(Array const& q, Array const& keys, Index at, Index first, Index last, S* p) const {
      score(q, keys, at, first, last, p);
      for (Index r = 0; r < last - first; ++r) cpu::softmax_row(p + r * s, s, p + r * s);
    }
    void differentiate(S const* p, Index rows, S* d) const {
      for (Index r = 0; r < rows; ++r) cpu::softmax_derivative_row(p + r * s, d + r * s, s, d + r * s);
    }
    /// Rows of `to` = p (rows × s) · right
    void mix(S const* p, Array const& right, Index at, Index first, Index last, Array& to,
             cpu::Start<S> start = {}) const {
      cpu::multiply_rows<S>({p, s, 1}, cpu::panels_of(right, at), last - first, heads.depth, s,
                            to.mutable_data() + heads.offset(to.shape(), at, first), heads.channels, start);
    }
    /// to (s × depth) [+]= pᵀ · (factor · rows of x); `panel` is room for the right factor.
    void add_transposed(S const* p, Array const& x, S factor, Index at, Index first, Index last, Array& panel,
                        S* to, cpu::Start<S> start) const {
      auto const depth = last - first;
      for (Index i = 0; i < cpu::panels<S>(heads.depth); ++i)
        cpu::pack_panel(heads.rows(x, at, first), depth, heads.depth, i,
                        panel.mutable_data() + i * depth * cpu::Block<S>::width, factor);
      cpu::multiply_rows<S>({p, 1, s}, panel.data(), s, heads.depth, depth, to, heads.channels, start);
    }
  };
};

}  // namespace consistency
