// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

/// Head h owns channels [h · depth, (h + 1) · depth).
template <>
struct Kernel<op::AttentionScores, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::AttentionScores const& op, Array<S> const& q, Array<S> const& k) {
    auto const shape = op.result(q.shape(), k.shape());
    auto const depth = q.shape()[2] / op.heads;
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const [n, head, t, s] = p;
      S sum(0);
      for (Index c = head * depth; c < (head + 1) * depth; ++c)
        sum += q[reference::at(q.shape(), n, t, c)] * k[reference::at(k.shape(), n, s, c)];
      return S(op.scale) * sum;
    });
  }
};

template <>
struct Kernel<op::AttentionMix, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::AttentionMix const& op, Array<S> const& weights, Array<S> const& v) {
    auto const shape = op.result(weights.shape(), v.shape());
    auto const depth = v.shape()[2] / weights.shape()[1];
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const [n, t, c, unused] = p;
      auto const head = c / depth;
      S sum(0);
      for (Index s = 0; s < v.shape()[1]; ++s)
        sum += weights[op.transposed ? reference::at(weights.shape(), n, head, s, t)
                                     : reference::at(weights.shape(), n, head, t, s)] *
               v[reference::at(v.shape(), n, s, c)];
      return S(op.scale) * sum;
    });
  }
};

}  // namespace consistency
