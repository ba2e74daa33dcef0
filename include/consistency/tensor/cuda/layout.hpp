// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cuda {

/// y (rows, a + b): a's columns beside b's.
template <CompiledScalar S>
void concat(S const* a, S const* b, Index rows, Index left, Index right, S* y);
/// y (rows, width): columns begin … of x (rows, columns).
template <CompiledScalar S>
void slice(S const* x, Index rows, Index columns, Index begin, Index width, S* y);
/// To and from images of h × w pixels with c channels; `lines` = n · h lines of the smaller image.
template <CompiledScalar S>
void upsample(S const* x, Index lines, Index w, Index c, S* y);
template <CompiledScalar S>
void downsample(S const* x, Index lines, Index w, Index c, S* y);
template <CompiledScalar S>
void blur(S const* x, Index n, Index h, Index w, Index c, S* y);
/// `lines` = n · h and w of the folded image, c channels of the unfolded one.
template <CompiledScalar S>
void space_to_depth(S const* x, Index lines, Index w, Index c, Index patch, bool inverse, S* y);
/// Bilinear, see op::Resize.
template <CompiledScalar S>
void resize(S const* x, Shape const& from, Shape const& to, bool adjoint, double centre, S* y);

}  // namespace cuda

template <>
struct Kernel<op::Concat, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Concat const& op, Tensor<S, Cuda> const& a, Tensor<S, Cuda> const& b) {
    Tensor<S, Cuda> y{op.result(a.shape(), b.shape())};
    cuda::concat(a.data(), b.data(), y.shape().rows(), a.shape().back(), b.shape().back(), y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::Slice, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Slice const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::slice(x.data(), x.shape().rows(), x.shape().back(), op.begin, op.end - op.begin, y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::Upsample, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Upsample const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::upsample(x.data(), x.shape()[0] * x.shape()[1], x.shape()[2], x.shape()[3], y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::Downsample, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Downsample const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::downsample(x.data(), y.shape()[0] * y.shape()[1], y.shape()[2], y.shape()[3], y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::Blur, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Blur const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::blur(x.data(), x.shape()[0], x.shape()[1], x.shape()[2], x.shape()[3], y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::SpaceToDepth, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::SpaceToDepth const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::space_to_depth(x.data(), y.shape()[0] * y.shape()[1], y.shape()[2], x.shape()[3], op.patch, false,
                         y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::DepthToSpace, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::DepthToSpace const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::space_to_depth(x.data(), x.shape()[0] * x.shape()[1], x.shape()[2], y.shape()[3], op.patch, true,
                         y.mutable_data());
    return y;
  }
};

template <>
struct Kernel<op::Resize, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Resize const& op, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{op.result(x.shape())};
    cuda::resize(x.data(), x.shape(), y.shape(), op.adjoint, op.centre, y.mutable_data());
    return y;
  }
};

}  // namespace consistency
