// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <type_traits>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Attention for backends without a kernel of their own: its three operations, one after the other.
template <class Backend>
  requires(!std::is_same_v<Backend, Cpu>)
struct Kernel<op::Attention, Backend> {
  template <class T>
  static T value(op::Attention const& op, T const& q, T const& k, T const& v) {
    op.result(q.shape(), k.shape(), v.shape());
    return attention_mix(weights(op, q, k), v);
  }

  /// With p = softmax(scale · q kᵀ): dv = pᵀ g, dp = g vᵀ, ds = p (dp − Σ p dp), dq = scale · ds k and
  /// dk = scale · dsᵀ q. The weights are computed again.
  template <class T>
  static std::array<T, 3> vjp(op::Attention const& op, std::array<bool, 3> const& wanted, T const&,
                              T const& g, T const& q, T const& k, T const& v) {
    auto const p = weights(op, q, k);
    auto const scale = op.scale(q.shape());
    std::array<T, 3> result;
    if (wanted[2]) result[2] = attention_mix(p, g, {.transposed = true});
    if (!wanted[0] && !wanted[1]) return result;
    auto const dp = attention_scores(g, v, {.heads = op.heads});
    auto const ds = Kernel<op::Softmax, Backend>::vjp({}, {true}, p, dp, p)[0];
    if (wanted[0]) result[0] = attention_mix(ds, k, {.scale = scale});
    if (wanted[1]) result[1] = attention_mix(ds, q, {.scale = scale, .transposed = true});
    return result;
  }

 private:
  template <class T>
  static T weights(op::Attention const& op, T const& q, T const& k) {
    return softmax(attention_scores(q, k, {.heads = op.heads, .scale = op.scale(q.shape())}));
  }
};

}  // namespace consistency
