// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

template <>
struct Kernel<op::Linear, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::Linear const& op, Array<S> const& x, Array<S> const& w) {
    return value(op, x, w, Array<S>{Shape{w.shape().back()}, S(0)});
  }
  template <class S>
  static Array<S> value(op::Linear const& op, Array<S> const& x, Array<S> const& w, Array<S> const& b) {
    auto const shape = op.result(x.shape(), w.shape(), b.shape());
    auto const depth = w.shape()[0];
    auto const y = reference::tabulate<S>({shape.rows(), shape.back()}, [&](reference::Position const& p) {
      auto const [row, column, unused, none] = p;
      auto sum = b[column];
      for (Index k = 0; k < depth; ++k) sum += x[row * depth + k] * w[reference::at(w.shape(), k, column)];
      return sum;
    });
    return y.reshaped(shape);
  }
};

}  // namespace consistency
