// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

template <>
struct Kernel<op::SumTo, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::SumTo const& op, Tensor<S, Reference> const& x) {
    auto y = Tensor<S, Reference>{op.result(x.shape()), S(0)};
    for (Index i = 0; i < x.count(); ++i)
      y.mutable_data()[reference::broadcast_at(y.shape(), x.shape(), reference::position(x.shape(), i))] +=
          x[i];
    return y;
  }
};

template <>
struct Kernel<op::BroadcastTo, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::BroadcastTo const& op, Tensor<S, Reference> const& x) {
    auto const shape = op.result(x.shape());
    return reference::tabulate<S>(
        shape, [&](reference::Position const& p) { return x[reference::broadcast_at(x.shape(), shape, p)]; });
  }
};

template <>
struct Kernel<op::Reshape, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Reshape const& op, Tensor<S, Reference> const& x) {
    return x.reshaped(op.result(x.shape()));
  }
};

/// exp(x − top) / Σ exp(x − top). Any `top` gives the same function; the largest real part keeps exp finite
/// and is a constant for the complex step.
template <>
struct Kernel<op::Softmax, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Softmax const& op, Tensor<S, Reference> const& x) {
    using std::exp;
    using std::real;
    auto y = Tensor<S, Reference>{op.result(x.shape())};
    auto const columns = x.shape().back();
    for (Index r = 0; r < x.shape().rows(); ++r) {
      auto const* const from = x.data() + r * columns;
      auto* const to = y.mutable_data() + r * columns;
      auto top = real(from[0]);
      for (Index c = 0; c < columns; ++c) top = std::max(top, real(from[c]));
      S total(0);
      for (Index c = 0; c < columns; ++c) total += exp(from[c] - top);
      for (Index c = 0; c < columns; ++c) to[c] = exp(from[c] - top) / total;
    }
    return y;
  }
};

}  // namespace consistency
