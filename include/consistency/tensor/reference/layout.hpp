// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

template <>
struct Kernel<op::Concat, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::Concat const& op, Array<S> const& a, Array<S> const& b) {
    auto const shape = op.result(a.shape(), b.shape());
    auto const left = a.shape().back();
    auto const right = b.shape().back();
    auto const y = reference::tabulate<S>({shape.rows(), left + right}, [&](reference::Position const& p) {
      return p[1] < left ? a[p[0] * left + p[1]] : b[p[0] * right + p[1] - left];
    });
    return y.reshaped(shape);
  }
};

template <>
struct Kernel<op::Slice, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Slice const& op, Tensor<S, Reference> const& x) {
    auto const shape = op.result(x.shape());
    auto const y = reference::tabulate<S>({shape.rows(), shape.back()}, [&](reference::Position const& p) {
      return x[p[0] * x.shape().back() + op.begin + p[1]];
    });
    return y.reshaped(shape);
  }
};

template <>
struct Kernel<op::Upsample, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Upsample const& op, Tensor<S, Reference> const& x) {
    return reference::tabulate<S>(op.result(x.shape()), [&](reference::Position const& p) {
      return x[reference::at(x.shape(), p[0], p[1] / 2, p[2] / 2, p[3])];
    });
  }
};

template <>
struct Kernel<op::Downsample, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Downsample const& op, Tensor<S, Reference> const& x) {
    return reference::tabulate<S>(op.result(x.shape()), [&](reference::Position const& p) {
      S sum(0);
      for (Index i = 0; i < 2; ++i)
        for (Index j = 0; j < 2; ++j)
          sum += x[reference::at(x.shape(), p[0], 2 * p[1] + i, 2 * p[2] + j, p[3])];
      return sum / S(4);
    });
  }
};

template <>
struct Kernel<op::Blur, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Blur const& op, Tensor<S, Reference> const& x) {
    auto const h = x.shape()[1], w = x.shape().rank() == 4 ? x.shape()[2] : 0;
    return reference::tabulate<S>(op.result(x.shape()), [&](reference::Position const& p) {
      S sum(0);
      for (Index i = p[1] - 1; i <= p[1] + 1; ++i)
        for (Index j = p[2] - 1; j <= p[2] + 1; ++j)
          if (i >= 0 && i < h && j >= 0 && j < w)
            sum +=
                S((i == p[1] ? 2 : 1) * (j == p[2] ? 2 : 1)) * x[reference::at(x.shape(), p[0], i, j, p[3])];
      return sum / S(16);
    });
  }
};

/// Pixel (i, j) of a patch becomes channels [(i · p + j) · c, (i · p + j + 1) · c).
template <>
struct Kernel<op::SpaceToDepth, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::SpaceToDepth const& op, Tensor<S, Reference> const& x) {
    auto const channels = x.shape()[3];
    return reference::tabulate<S>(op.result(x.shape()), [&](reference::Position const& p) {
      auto const pixel = p[3] / channels;
      auto const i = p[1] * op.patch + pixel / op.patch;
      auto const j = p[2] * op.patch + pixel % op.patch;
      return x[reference::at(x.shape(), p[0], i, j, p[3] % channels)];
    });
  }
};

template <>
struct Kernel<op::DepthToSpace, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::DepthToSpace const& op, Tensor<S, Reference> const& x) {
    auto const shape = op.result(x.shape());
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const pixel = p[1] % op.patch * op.patch + p[2] % op.patch;
      return x[reference::at(x.shape(), p[0], p[1] / op.patch, p[2] / op.patch, pixel * shape[3] + p[3])];
    });
  }
};

}  // namespace consistency
