// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>
#include <utility>

#include <consistency/autodiff/reverse.hpp>
#include <consistency/autodiff/rule.hpp>

namespace consistency {

/// A value with its derivative along one direction: forward-mode differentiation (one JVP). V is a tensor, or
/// a variable for gradients through the JVP. An undefined tangent is zero.
template <class V>
struct Dual {
  using Tensor = tensor_of_t<V>;
  using Scalar = typename Tensor::Scalar;
  using Backend = typename Tensor::Backend;

  V primal;
  V tangent;

  Dual() = default;
  Dual(V value) : primal{std::move(value)} {}  // NOLINT(google-explicit-constructor): a constant
  Dual(V value, V direction) : primal{std::move(value)}, tangent{std::move(direction)} {}

  bool defined() const noexcept { return primal.defined(); }
  Shape const& shape() const noexcept { return primal.shape(); }
};

template <class V>
inline constexpr bool is_value<Dual<V>> = true;
template <class V>
auto const& stop_gradient(Dual<V> const& x) {
  return stop_gradient(x.primal);
}

template <class T>
inline constexpr bool is_dual = false;
template <class V>
inline constexpr bool is_dual<Dual<V>> = true;

namespace detail {

template <class V>
V const& primal(V const& x) {
  return x;
}
template <class V>
V const& primal(Dual<V> const& x) {
  return x.primal;
}
template <class V>
V tangent(V const&) {
  return {};
}
template <class V>
V const& tangent(Dual<V> const& x) {
  return x.tangent;
}

template <class Op>
inline constexpr bool is_pointwise = false;
template <class F>
inline constexpr bool is_pointwise<Pointwise<F>> = true;

/// A tangent as an element-wise operand: the number 0 where it is undefined.
template <class V>
V tangent_leaf(V const& dx) {
  using T = tensor_of_t<V>;
  return dx.defined() ? dx : V(T(Shape{}, typename T::Scalar(0)));
}

}  // namespace detail

/// y = op(inputs…) where at least one input is a dual; the rest may be variables or tensors.
template <class Op, class... X>
  requires(is_dual<X> || ...)
auto apply(Op const& op, X const&... x) {
  using V = decltype(apply(op, detail::primal(x)...));
  V y = apply(op, detail::primal(x)...);
  if (!(detail::tangent(x).defined() || ...)) return Dual<V>{std::move(y)};
  if constexpr (detail::is_pointwise<Op>) {
    using F = decltype(op.f);
    V dy = apply(Pointwise<pointwise::Tangent<F>>{{op.f}}, detail::primal(x)...,
                 detail::tangent_leaf(detail::tangent(x))...);
    if (dy.shape() != y.shape()) dy = V(broadcast_to(dy, y.shape()));
    return Dual<V>{std::move(y), std::move(dy)};
  } else {
    V dy = Rule<Op>::jvp(op, y, detail::primal(x)..., detail::tangent(x)...);
    return Dual<V>{std::move(y), std::move(dy)};
  }
}

}  // namespace consistency
