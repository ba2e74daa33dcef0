// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>

#include <consistency/autodiff/rule.hpp>
#include <consistency/autodiff/rules/normalization.hpp>

namespace consistency {

/// Rules of the maps that are linear in x and in the weight: d(x · w + b) = dx · w + x · dw + db.
template <class Op>
struct AffineRule {
  static constexpr std::size_t keeps_inputs = 2;
  static constexpr bool keeps_output = false;

  template <class T, std::size_t N>
  static std::array<T, N> vjp(Op const& op, std::array<bool, N> const& wanted, T const& y, T const& g,
                              std::array<T, N> const& x) {
    auto product = kernel_vjp(op, {wanted[0], wanted[1]}, y, g, x[0], x[1]);
    std::array<T, N> result;
    result[0] = std::move(product[0]);
    result[1] = std::move(product[1]);
    if constexpr (N > 2)
      if (wanted[2]) result[2] = sum_to(g, x[2].shape());
    return result;
  }

  template <class Y>
  static Y jvp(Op const& op, Y const&, auto const& x, auto const& w, auto const& dx, auto const& dw) {
    Y dy;
    if (dx.defined()) add_term(dy, apply(op, dx, w));
    if (dw.defined()) add_term(dy, apply(op, x, dw));
    return dy;
  }
  template <class Y>
  static Y jvp(Op const& op, Y const& y, auto const& x, auto const& w, auto const&, auto const& dx,
               auto const& dw, auto const& db) {
    auto dy = jvp(op, y, x, w, dx, dw);
    if (db.defined()) dy = dy.defined() ? Y(dy + db) : Y(broadcast_to(db, y.shape()));
    return dy;
  }
};

template <>
struct Rule<op::Linear> : AffineRule<op::Linear> {};

/// With a residual, scale · (x ∗ w + b + r).
template <>
struct Rule<op::Conv2d> : AffineRule<op::Conv2d> {
  using AffineRule<op::Conv2d>::jvp;

  template <class T, std::size_t N>
  static std::array<T, N> vjp(op::Conv2d const& op, std::array<bool, N> const& wanted, T const& y, T const& g,
                              std::array<T, N> const& x) {
    if constexpr (N < 4) {
      return AffineRule<op::Conv2d>::vjp(op, wanted, y, g, x);
    } else {
      T const scaled = op.scale * g;
      auto result = AffineRule<op::Conv2d>::vjp(op, wanted, y, scaled, x);
      if (wanted[3]) result[3] = scaled;
      return result;
    }
  }

  template <class Y>
  static Y jvp(op::Conv2d const& op, Y const& y, auto const& x, auto const& w, auto const& b, auto const&,
               auto const& dx, auto const& dw, auto const& db, auto const& dr) {
    auto dy = jvp(op, y, x, w, b, dx, dw, db);
    if (dr.defined()) add_term(dy, dr);
    return op.scale * dy;
  }
};

/// The JVP of tensors is a kernel where the backend has one; others hold the weights, and can be
/// differentiated in turn.
template <>
struct Rule<op::Attention> {
  static constexpr std::size_t keeps_inputs = all_inputs;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 3> vjp(op::Attention const& op, std::array<bool, 3> const& wanted, T const& y,
                              T const& g, std::array<T, 3> const& x) {
    return kernel_vjp(op, wanted, y, g, x[0], x[1], x[2]);
  }

  template <class Y>
  static Y jvp(op::Attention const& op, Y const&, auto const& q, auto const& k, auto const& v, auto const& dq,
               auto const& dk, auto const& dv) {
    using Own = Kernel<op::Attention, typename tensor_of_t<Y>::Backend>;
    if constexpr (requires {
                    { Own::jvp(op, q, k, v, dq, dk, dv) } -> std::same_as<Y>;
                  }) {
      return Own::jvp(op, q, k, v, dq, dk, dv);
    } else {
      auto const settings = op::AttentionScores{.heads = op.heads, .scale = op.scale(q.shape())};
      auto const s = attention_scores(q, k, settings);
      auto const p = softmax(s);
      Y ds, dy;
      if (dq.defined()) add_term(ds, attention_scores(dq, k, settings));
      if (dk.defined()) add_term(ds, attention_scores(q, dk, settings));
      if (ds.defined()) add_term(dy, attention_mix(Rule<op::Softmax>::jvp({}, Y(p), s, ds), v));
      if (dv.defined()) add_term(dy, attention_mix(p, dv));
      return dy;
    }
  }
};

/// Products inside attention; their gradients are products of the same two kinds.
template <>
struct Rule<op::AttentionScores> {
  static constexpr std::size_t keeps_inputs = 2;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 2> vjp(op::AttentionScores const& op, std::array<bool, 2> const& wanted, T const&,
                              T const& g, std::array<T, 2> const& x) {
    return {wanted[0] ? attention_mix(g, x[1], {.scale = op.scale}) : T{},
            wanted[1] ? attention_mix(g, x[0], {.scale = op.scale, .transposed = true}) : T{}};
  }

  template <class Y>
  static Y jvp(op::AttentionScores const& op, Y const& y, auto const& q, auto const& k, auto const& dq,
               auto const& dk) {
    return AffineRule<op::AttentionScores>::jvp(op, y, q, k, dq, dk);
  }
};

template <>
struct Rule<op::AttentionMix> {
  static constexpr std::size_t keeps_inputs = 2;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 2> vjp(op::AttentionMix const& op, std::array<bool, 2> const& wanted, T const&,
                              T const& g, std::array<T, 2> const& x) {
    auto const heads = x[0].shape()[1];
    std::array<T, 2> result;
    if (wanted[0]) {
      auto const settings = op::AttentionScores{.heads = heads, .scale = op.scale};
      result[0] = op.transposed ? attention_scores(x[1], g, settings) : attention_scores(g, x[1], settings);
    }
    if (wanted[1]) result[1] = attention_mix(x[0], g, {.scale = op.scale, .transposed = !op.transposed});
    return result;
  }

  template <class Y>
  static Y jvp(op::AttentionMix const& op, Y const& y, auto const& p, auto const& v, auto const& dp,
               auto const& dv) {
    return AffineRule<op::AttentionMix>::jvp(op, y, p, v, dp, dv);
  }
};

}  // namespace consistency
