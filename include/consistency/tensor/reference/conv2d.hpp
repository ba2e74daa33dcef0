// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

template <>
struct Kernel<op::Conv2d, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::Conv2d const& op, Array<S> const& x, Array<S> const& w) {
    return value(op, x, w, Array<S>{Shape{w.shape().back()}, S(0)});
  }
  template <class S>
  static Array<S> value(op::Conv2d const& op, Array<S> const& x, Array<S> const& w, Array<S> const& b) {
    auto const shape = op.result(x.shape(), w.shape(), b.shape());
    auto const k = w.shape()[0], l = w.shape()[1];
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const [n, out_row, out_column, o] = p;
      auto sum = b[b.shape().rank() == 1 ? o : n * shape[3] + o];
      for (Index ky = 0; ky < k; ++ky)
        for (Index kx = 0; kx < l; ++kx) {
          auto const row = out_row * op.stride + ky - k / 2;
          auto const column = out_column * op.stride + kx - l / 2;
          if (row < 0 || row >= x.shape()[1] || column < 0 || column >= x.shape()[2]) continue;
          for (Index c = 0; c < x.shape()[3]; ++c)
            sum += x[reference::at(x.shape(), n, row, column, c)] * w[reference::at(w.shape(), ky, kx, c, o)];
        }
      return sum;
    });
  }
  template <class S>
  static Array<S> value(op::Conv2d const& op, Array<S> const& x, Array<S> const& w, Array<S> const& b,
                        Array<S> const& r) {
    auto y = value(op, x, w, b);
    op.result(x.shape(), w.shape(), b.shape(), r.shape());
    for (Index i = 0; i < y.count(); ++i) y.mutable_data()[i] = S(op.scale) * (y[i] + r[i]);
    return y;
  }
};

}  // namespace consistency
