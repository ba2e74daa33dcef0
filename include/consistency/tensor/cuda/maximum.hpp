// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cuda {

/// y takes d from where x is largest of 2×2 pixels; the gradient puts g there in dx. d has x's shape and g
/// has y's; `lines` is n · h of y, w its width.
template <CompiledScalar S>
void max_pool(S const* x, S const* d, Index lines, Index w, Index c, S* y);
template <CompiledScalar S>
void max_pool_gradient(S const* x, S const* g, Index lines, Index w, Index c, S* dx);
/// The same for the largest of each row.
template <CompiledScalar S>
void max_per_row(S const* x, S const* d, Index rows, Index columns, S* y);
template <CompiledScalar S>
void max_per_row_gradient(S const* x, S const* g, Index rows, Index columns, S* dx);

}  // namespace cuda

template <>
struct Kernel<op::MaxPool, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::MaxPool const& op, Tensor<S, Cuda> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Cuda> value(op::MaxPool const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& d) {
    Tensor<S, Cuda> y{op.result(x.shape(), d.shape())};
    auto const& s = y.shape();
    cuda::max_pool(x.data(), d.data(), s[0] * s[1], s[2], s[3], y.mutable_data());
    return y;
  }
  template <class S>
  static std::array<Tensor<S, Cuda>, 1> vjp(op::MaxPool const&, std::array<bool, 1> const&,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> dx{x.shape()};
    auto const& s = g.shape();
    cuda::max_pool_gradient(x.data(), g.data(), s[0] * s[1], s[2], s[3], dx.mutable_data());
    return {dx};
  }
};

template <>
struct Kernel<op::MaxPerSample, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::MaxPerSample const& op, Tensor<S, Cuda> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Cuda> value(op::MaxPerSample const& op, Tensor<S, Cuda> const& x,
                               Tensor<S, Cuda> const& d) {
    Tensor<S, Cuda> y{op.result(x.shape(), d.shape())};
    if (y.count() > 0)
      cuda::max_per_row(x.data(), d.data(), y.count(), x.count() / y.count(), y.mutable_data());
    return y;
  }
  template <class S>
  static std::array<Tensor<S, Cuda>, 1> vjp(op::MaxPerSample const&, std::array<bool, 1> const&,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> dx{x.shape()};
    if (g.count() > 0)
      cuda::max_per_row_gradient(x.data(), g.data(), g.count(), x.count() / g.count(), dx.mutable_data());
    return {dx};
  }
};

}  // namespace consistency
