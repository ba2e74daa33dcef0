// SPDX-License-Identifier: MIT
#include <cstddef>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/cuda.hpp>
#include <consistency/tensor/reference.hpp>

#include "cases.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class T, std::size_t>
using Each = T;

/// Whether an operation takes N operands, by its shape rule.
template <class Op, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires(Op const& op, Each<Shape, I> const&... shapes) { op.result(shapes...); };
}
template <class Op, class T, std::size_t... I>
constexpr bool computed(std::index_sequence<I...>) {
  return KernelFor<Op, typename T::Backend, Each<T, I>...>;
}
template <class Op, class T, std::size_t... I>
constexpr bool differentiated(std::index_sequence<I...>) {
  return GradientKernelFor<Op, typename T::Backend, Each<T, I>...>;
}

constexpr std::size_t most = 5;

/// Kernels of just those numbers of operands that the shape rule takes.
template <class Op, class T, std::size_t N = 1>
constexpr bool computes_what_it_takes() {
  constexpr auto operands = std::make_index_sequence<N>{};
  if constexpr (N > most) {
    return true;
  } else {
    return computed<Op, T>(operands) == takes<Op>(operands) && computes_what_it_takes<Op, T, N + 1>();
  }
}
template <class Op, std::size_t N = 1>
constexpr std::size_t least() {
  if constexpr (takes<Op>(std::make_index_sequence<N>{})) {
    return N;
  } else {
    return least<Op, N + 1>();
  }
}

/// Whether the backward pass of an operation is a kernel; those of others are operations.
template <class Op>
constexpr bool has_gradient_kernel = false;
template <>
constexpr bool has_gradient_kernel<op::Linear> = true;
template <>
constexpr bool has_gradient_kernel<op::Conv2d> = true;
template <>
constexpr bool has_gradient_kernel<op::MaxPool> = true;
template <>
constexpr bool has_gradient_kernel<op::MaxPerSample> = true;
template <>
constexpr bool has_gradient_kernel<op::GroupNorm> = true;
template <>
constexpr bool has_gradient_kernel<op::Softmax> = true;
template <>
constexpr bool has_gradient_kernel<op::Attention> = true;

}  // namespace

TEST_CASE_TEMPLATE("a kernel computes each number of operands that its operation takes", T, Tensor<float>,
                   Tensor<double>, Tensor<float, Cuda>, Tensor<double, Cuda>, Tensor<double, Reference>) {
  for_each_type(AllOps{}, []<class Op>() {
    static_assert(computes_what_it_takes<Op, T>());
    CHECK(least<Op>() <= most);
  });
  for_each_type(AllPointwise{}, []<class F>() {
    using Op = pointwise_op_t<F>;
    static_assert(computed<Op, T>(std::make_index_sequence<decltype(Op::f)::leaves>{}));
  });
}

TEST_CASE_TEMPLATE("a kernel differentiates as the contract says where the backward pass is one", T,
                   Tensor<float>, Tensor<double>, Tensor<float, Cuda>, Tensor<double, Cuda>) {
  for_each_type(AllOps{}, []<class Op>() {
    static_assert(differentiated<Op, T>(std::make_index_sequence<least<Op>()>{}) == has_gradient_kernel<Op>);
  });
  for_each_type(AllPointwise{}, []<class F>() {
    using Op = pointwise_op_t<F>;
    static_assert(differentiated<Op, T>(std::make_index_sequence<decltype(Op::f)::leaves>{}));
  });
}

TEST_CASE_TEMPLATE("every backend that networks run on draws from every distribution", T, Tensor<float>,
                   Tensor<double>, Tensor<float, Cuda>, Tensor<double, Cuda>) {
  static_assert(DrawKernelFor<distribution::Normal, T>);
  static_assert(DrawKernelFor<distribution::Uniform, T>);
  static_assert(DrawKernelFor<distribution::DropoutMask, T>);
}
