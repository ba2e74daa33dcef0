// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <tuple>

#include <consistency/autodiff/rule.hpp>

namespace consistency {

namespace pointwise {

/// Functions with constant derivatives: their backward pass need not remember what they were given.
template <class F>
inline constexpr bool is_linear = false;
template <>
inline constexpr bool is_linear<Leaf> = true;
template <class A>
inline constexpr bool is_linear<Unary<Negate, A>> = is_linear<A>;
template <class A, class B>
inline constexpr bool is_linear<Binary<Add, A, B>> =
    (is_linear<A> || A::leaves == 0) && (is_linear<B> || B::leaves == 0);
template <class A, class B>
inline constexpr bool is_linear<Binary<Subtract, A, B>> = is_linear<Binary<Add, A, B>>;
template <class A>
inline constexpr bool is_linear<Binary<Multiply, Constant, A>> = is_linear<A>;
template <class A>
inline constexpr bool is_linear<Binary<Multiply, A, Constant>> = is_linear<A>;

}  // namespace pointwise

template <class F>
struct Rule<Pointwise<F>> {
  static constexpr std::size_t keeps_inputs = pointwise::is_linear<F> ? 0 : all_inputs;
  static constexpr bool keeps_output = false;

  template <class T, std::size_t N>
  static std::array<T, N> vjp(Pointwise<F> const& op, std::array<bool, N> const& wanted, T const& y,
                              T const& g, std::array<T, N> const& x) {
    std::array<T, N> result;
    auto const run = [&](auto const&... v) { result = kernel_vjp(op, wanted, y, g, v...); };
    if constexpr (keeps_inputs > 0) {
      std::apply(run, x);
    } else {
      std::array<T, N> anything;
      anything.fill(g);
      std::apply(run, anything);
    }
    for (std::size_t k = 0; k < N; ++k)
      if (wanted[k] && result[k].shape() != x[k].shape()) result[k] = sum_to(result[k], x[k].shape());
    return result;
  }
};

}  // namespace consistency
