// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <type_traits>

#include <consistency/tensor/tensor.hpp>
#include <consistency/tensor/trace.hpp>

namespace consistency {

/// What network and loss code is generic over: Tensor, Variable<Tensor> (reverse mode), Dual<Tensor> (forward
/// mode), Dual<Variable<Tensor>> (reverse over forward).
template <class T>
inline constexpr bool is_value = false;
template <class S, class B>
inline constexpr bool is_value<Tensor<S, B>> = true;

template <class T>
concept Value = is_value<std::remove_cvref_t<T>>;

template <class T>
inline constexpr bool is_tensor = false;
template <class S, class B>
inline constexpr bool is_tensor<Tensor<S, B>> = true;

/// What is written with a scalar or a tensor type, `normal<float>` or `normal<Tensor<float, Cuda>>`, makes
/// this tensor.
template <class T>
struct as_tensor {
  using type = Tensor<T>;
};
template <class S, class B>
struct as_tensor<Tensor<S, B>> {
  using type = Tensor<S, B>;
};
template <class T>
using as_tensor_t = typename as_tensor<T>::type;

/// The tensor at the bottom of a value type.
template <class V>
struct tensor_of {
  using type = typename V::Tensor;
};
template <class S, class B>
struct tensor_of<Tensor<S, B>> {
  using type = Tensor<S, B>;
};
template <class V>
using tensor_of_t = typename tensor_of<std::remove_cvref_t<V>>::type;

/// The numbers of a value without its derivatives.
template <class S, class B>
Tensor<S, B> const& stop_gradient(Tensor<S, B> const& x) {
  return x;
}

/// How a backend computes an operation: one specialisation for each pair, with static functions of tensors
/// - value(op, x...): y, for each number of operands that op.result takes;
/// - vjp(op, wanted, y, g, x...), for the least number of operands: the gradients of the wanted x from the
///   gradient g of y, as an array that is undefined at the others. Only where Rule<Op> calls it, and y and x
///   have the numbers that Rule<Op> keeps.
template <class Op, class Backend>
struct Kernel;

/// Whether a backend computes Op of operands X..., tensors of one type.
template <class Op, class Backend, class... X>
concept KernelFor = requires(Op const& op, X const&... x) {
  { Kernel<Op, Backend>::value(op, x...) } -> std::same_as<std::common_type_t<X...>>;
};
/// Whether it computes their gradients.
template <class Op, class Backend, class... X>
concept GradientKernelFor = requires(Op const& op, std::array<bool, sizeof...(X)> const& wanted,
                                     std::common_type_t<X...> const& y, X const&... x) {
  {
    Kernel<Op, Backend>::vjp(op, wanted, y, y, x...)
  } -> std::same_as<std::array<std::common_type_t<X...>, sizeof...(X)>>;
};

namespace detail {

/// Multiplications and additions of a product or convolution, as it is defined; 0 for other operations.
template <class Op>
double flops(Op const& op, auto const&... inputs) {
  if constexpr (requires { op.flops(inputs.shape()...); }) {
    return op.flops(inputs.shape()...);
  } else {
    return 0;
  }
}

}  // namespace detail

/// y = op(inputs…) on plain tensors.
template <class Op, class S, class B, class... Rest>
  requires(is_tensor<Rest> && ...)
auto apply(Op const& op, Tensor<S, B> const& first, Rest const&... rest) {
  static_assert((std::is_same_v<S, typename Rest::Scalar> && ...),
                "the operands must have one scalar: float and double do not mix; make all tensors of one, "
                "as in normal<float>(...)");
  static_assert((std::is_same_v<B, typename Rest::Backend> && ...),
                "the operands must live in one backend; move them with to<Backend>(x)");
  static_assert(
      KernelFor<Op, B, Tensor<S, B>, Rest...>,
      "apply: this backend has no kernel of this operation for so many operands. A backend's kernels are in "
      "consistency/tensor/cpu.hpp, cuda.hpp and reference.hpp; Kernel says what one must have");
  TraceCall<B> const call;
  auto y = Kernel<Op, B>::value(op, first, rest...);
  if (call) [[unlikely]]
    call.done(type_signature<Op>(), detail::flops(op, first, rest...), y, {&first, &rest...});
  return y;
}

}  // namespace consistency
