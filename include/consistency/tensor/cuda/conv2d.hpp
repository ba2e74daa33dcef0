// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cuda/gemm.hpp>
#include <consistency/tensor/cuda/pointwise.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cuda {

/// A k×l convolution with padding k/2 and l/2 of images (n, h, w, c) with weights (k, l, c, o).
struct Convolution {
  Index n, h, w, c, k, l, o, stride;

  Convolution(Shape const& x, Shape const& weight, Index step)
      : n{x[0]}, h{x[1]}, w{x[2]}, c{x[3]}, k{weight[0]}, l{weight[1]}, o{weight[3]}, stride{step} {}

  Index out_h() const { return (h - 1) / stride + 1; }
  Index out_w() const { return (w - 1) / stride + 1; }
  Index depth() const { return k * l * c; }  ///< numbers that a pixel of the result sees
  /// Whether it is the product of the images and the weights as they are.
  bool is_product() const { return k == 1 && l == 1 && stride == 1; }
};

/// y = x ∗ w + bias, where there is one (o).
template <CompiledScalar S>
void convolve(Convolution const& shape, S const* x, S const* w, S const* bias, S* y);
/// Gradients from g of y's shape.
template <CompiledScalar S>
void convolve_data_gradient(Convolution const& shape, S const* g, S const* w, S* dx);
template <CompiledScalar S>
void convolve_weight_gradient(Convolution const& shape, S const* x, S const* g, S* dw);

}  // namespace cuda

template <>
struct Kernel<op::Conv2d, Cuda> {
  template <class S>
  static Tensor<S, Cuda> value(op::Conv2d const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w) {
    Tensor<S, Cuda> y{op.result(x.shape(), w.shape())};
    cuda::convolve<S>({x.shape(), w.shape(), op.stride}, x.data(), w.data(), nullptr, y.mutable_data());
    return y;
  }
  template <class S>
  static Tensor<S, Cuda> value(op::Conv2d const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w,
                               Tensor<S, Cuda> const& b) {
    Tensor<S, Cuda> y{op.result(x.shape(), w.shape(), b.shape())};
    auto const shared = b.shape().rank() == 1;
    cuda::convolve<S>({x.shape(), w.shape(), op.stride}, x.data(), w.data(), shared ? b.data() : nullptr,
                      y.mutable_data());
    if (!shared) in_place(y, std::array{b}, [](auto const& v) { return v[0] + v[1]; });
    return y;
  }
  template <class S>
  static Tensor<S, Cuda> value(op::Conv2d const& op, Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w,
                               Tensor<S, Cuda> const& b, Tensor<S, Cuda> const& r) {
    Tensor<S, Cuda> y{op.result(x.shape(), w.shape(), b.shape(), r.shape())};
    cuda::convolve<S>({x.shape(), w.shape(), op.stride}, x.data(), w.data(), nullptr, y.mutable_data());
    in_place(y, std::array{b, r},
             [&](auto const& v) { return cuda::Symbol{op.scale} * (v[0] + v[1] + v[2]); });
    return y;
  }

  template <class S>
  static std::array<Tensor<S, Cuda>, 2> vjp(op::Conv2d const& op, std::array<bool, 2> const& wanted,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x, Tensor<S, Cuda> const& w) {
    auto const shape = cuda::Convolution{x.shape(), w.shape(), op.stride};
    std::array<Tensor<S, Cuda>, 2> result;
    if (wanted[0]) {
      result[0] = Tensor<S, Cuda>{x.shape()};
      cuda::convolve_data_gradient(shape, g.data(), w.data(), result[0].mutable_data());
    }
    if (wanted[1]) {
      result[1] = Tensor<S, Cuda>{w.shape()};
      cuda::convolve_weight_gradient(shape, x.data(), g.data(), result[1].mutable_data());
    }
    return result;
  }

 private:
  /// y ← f(y, operands…) element by element; the operands broadcast to y.
  template <class S, std::size_t N, class F>
  static void in_place(Tensor<S, Cuda>& y, std::array<Tensor<S, Cuda>, N> const& operands, F const& f) {
    auto const node = f(cuda::leaves<N + 1>()).node();
    auto const program = cuda::Tracer::current().program(std::array{node}, 1);
    std::array<Shape, N + 1> shapes{y.shape()};
    std::array<S const*, N + 1> from{y.data()};
    for (std::size_t k = 0; k < N; ++k) shapes[k + 1] = operands[k].shape(), from[k + 1] = operands[k].data();
    cuda::run<S, N + 1, 1>(program, BroadcastPlan<N + 1>{shapes}, from, {y.mutable_data()});
  }
};

}  // namespace consistency
