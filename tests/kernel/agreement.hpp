#pragma once

#include <array>
#include <tuple>
#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/reference.hpp>

#include "../tensor/cases.hpp"

namespace consistency::test {

/// Root mean square relative error that is allowed against the reference in double.
template <class X, class Op>
inline constexpr double tolerance = !std::is_same_v<typename X::Scalar, float> ? 1e-13 : 1e-6;
/// Winograd's transforms cost convolutions one bit, and so may a GPU's order of long sums.
template <class B>
inline constexpr double tolerance<Tensor<float, B>, op::Conv2d> = 2e-6;
/// Thousands of weights that are added up in order cost another.
template <class B>
inline constexpr double tolerance<Tensor<float, B>, op::Attention> = 2e-6;

/// Every case of an operation on X's backend against plain loops in double.
template <class X, class Op>
void agrees_with_reference() {
  Cases<Op>::each([](auto const& c) {
    CAPTURE(c.text());
    auto const x = operands<typename X::Scalar, typename X::Backend>(c);
    std::array<Tensor<double, Reference>, std::tuple_size_v<decltype(c.shapes)>> exact;
    for (std::size_t k = 0; k < x.size(); ++k) exact[k] = convert<double, Reference>(x[k]);
    auto const error = relative_error(compute(c.op, x), compute(c.op, exact));
    CHECK(error <= tolerance<X, Op>);
  });
}

/// The gradients of <y, g> on X's backend against those of the CPU's kernels in double, which finite
/// differences check.
template <class X, class Op>
void gradients_agree_with_the_cpu() {
  using Exact = Tensor<double>;
  Cases<Op>::each([](auto const& c) {
    CAPTURE(c.text());
    constexpr auto n = std::tuple_size_v<decltype(c.shapes)>;
    auto const x = operands<typename X::Scalar, typename X::Backend>(c);
    auto const gradients = [&]<class T>(std::array<T, n> const& inputs) {
      Tape<T> tape;
      std::array<Variable<T>, n> watched;
      for (std::size_t k = 0; k < n; ++k) watched[k] = tape.watch(inputs[k]);
      auto const y = compute(c.op, watched);
      tape.backward(y, convert<typename T::Scalar, typename T::Backend>(random<float>(y.shape(), 99)));
      std::array<T, n> result;
      for (std::size_t k = 0; k < n; ++k) result[k] = tape.gradient(watched[k]);
      return result;
    };
    std::array<Exact, n> exact;
    for (std::size_t k = 0; k < n; ++k) exact[k] = convert<double, Cpu>(x[k]);
    auto const found = gradients(x);
    auto const expected = gradients(exact);
    for (std::size_t k = 0; k < n; ++k) {
      CAPTURE(k);
      CHECK(found[k].defined() == expected[k].defined());
      if (found[k].defined()) CHECK(relative_error(found[k], expected[k]) <= 10 * tolerance<X, Op>);
    }
  });
}

}  // namespace consistency::test
