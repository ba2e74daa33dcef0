// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cuda/pointwise.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cuda {

/// y[b, k] = Σ_m x[b, m, k], in an order that depends on m and columns alone; added up in double.
template <CompiledScalar S>
void sum_middle(S const* x, Index batch, Index m, Index columns, S* y);

/// Softmax of each row, and its derivative y (g − Σ g y).
template <CompiledScalar S>
void softmax(S const* x, Index rows, Index columns, S* y);
template <CompiledScalar S>
void softmax_gradient(S const* y, S const* g, Index rows, Index columns, S* dx);

}  // namespace cuda

template <>
struct Kernel<op::SumTo, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::SumTo const& op, Tensor<S, Cuda> const& x) {
    auto const target = op.result(x.shape());
    if (target.count() == x.count()) return x.reshaped(target);
    auto current = x;
    for_summed_axes(x.shape(), target, [&](Index batch, Index m, Index columns) {
      Tensor<S, Cuda> next{Shape{batch, columns}};
      cuda::sum_middle(current.data(), batch, m, columns, next.mutable_data());
      current = next;
    });
    return current.reshaped(target);
  }
};

template <>
struct Kernel<op::BroadcastTo, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::BroadcastTo const& op, Tensor<S, Cuda> const& x) {
    auto const target = op.result(x.shape());
    if (target.count() == x.count()) return x.reshaped(target);
    Tensor<S, Cuda> y{target};
    auto const node = cuda::leaves<1>()[0].node();
    cuda::run<S, 1, 1>(cuda::Tracer::current().program(std::array{node}, 1),
                       BroadcastPlan<1>{std::array{x.shape()}, target}, {x.data()}, {y.mutable_data()});
    return y;
  }
};

template <>
struct Kernel<op::Reshape, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Reshape const& op, Tensor<S, Cuda> const& x) {
    return x.reshaped(op.result(x.shape()));
  }
};

template <>
struct Kernel<op::Softmax, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Softmax const&, Tensor<S, Cuda> const& x) {
    Tensor<S, Cuda> y{x.shape()};
    cuda::softmax(x.data(), x.shape().rows(), x.shape().back(), y.mutable_data());
    return y;
  }
  template <class S>
  static std::array<Tensor<S, Cuda>, 1> vjp(op::Softmax const&, std::array<bool, 1> const&,
                                            Tensor<S, Cuda> const& y, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const&) {
    Tensor<S, Cuda> dx{y.shape()};
    cuda::softmax_gradient(y.data(), g.data(), y.shape().rows(), y.shape().back(), dx.mutable_data());
    return {dx};
  }
};

}  // namespace consistency
