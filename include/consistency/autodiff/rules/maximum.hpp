// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/autodiff/rule.hpp>

namespace consistency {

/// Rules of maxima. The tangent is dx where x is largest: the same operation with two operands, linear in the
/// second and constant in the first.
template <class Op>
struct MaximumRule {
  static constexpr std::size_t keeps_inputs = 1;
  static constexpr bool keeps_output = false;

  template <class T, std::size_t N>
  static std::array<T, N> vjp(Op const& op, std::array<bool, N> const& wanted, T const& y, T const& g,
                              std::array<T, N> const& x) {
    std::array<T, N> result;
    if (wanted[N - 1]) result[N - 1] = kernel_vjp(op, {true}, y, g, x[0])[0];
    return result;
  }

  template <class Y>
  static Y jvp(Op const& op, Y const&, auto const& x, auto const& dx) {
    return apply(op, x, dx);
  }
  template <class Y>
  static Y jvp(Op const& op, Y const& y, auto const& x, auto const&, auto const&, auto const& dd) {
    using T = tensor_of_t<Y>;
    return dd.defined() ? Y(apply(op, x, dd)) : Y(T(y.shape(), typename T::Scalar(0)));
  }
};

template <>
struct Rule<op::MaxPool> : MaximumRule<op::MaxPool> {};
template <>
struct Rule<op::MaxPerSample> : MaximumRule<op::MaxPerSample> {};

}  // namespace consistency
