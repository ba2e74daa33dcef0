// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <tuple>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/reference.hpp>

#include "../support/rounding.hpp"
#include "../tensor/cases.hpp"

namespace consistency::test {

/// Every case of an operation on X's backend against plain loops in double.
template <class X, class Op>
void agrees_with_reference() {
  Cases<Op>::each([](auto const& c) {
    CAPTURE(c.text());
    auto const x = operands<typename X::Scalar, typename X::Backend>(c);
    std::array<Tensor<double, Reference>, std::tuple_size_v<decltype(c.shapes)>> exact;
    for (std::size_t k = 0; k < x.size(); ++k) exact[k] = convert<double, Reference>(x[k]);
    auto const error = relative_error(compute(c.op, x), compute(c.op, exact));
    CHECK(error <= rounding_error<typename X::Scalar>(c.op, c.shapes));
  });
}

/// The gradients of <y, g> on X's backend against those of the CPU's kernels in double, which the complex
/// step checks.
template <class X, class Op>
void gradients_agree_with_the_cpu() {
  using Exact = Tensor<double>;
  Cases<Op>::each([](auto const& c) {
    CAPTURE(c.text());
    constexpr auto n = std::tuple_size_v<decltype(c.shapes)>;
    auto const x = operands<typename X::Scalar, typename X::Backend>(c);
    Shape result;
    auto const gradients = [&]<class T>(std::array<T, n> const& inputs) {
      Tape<T> tape;
      std::array<Variable<T>, n> watched;
      for (std::size_t k = 0; k < n; ++k) watched[k] = tape.watch(inputs[k]);
      auto const y = compute(c.op, watched);
      result = y.shape();
      tape.backward(y, convert<typename T::Scalar, typename T::Backend>(random<float>(y.shape(), 99)));
      std::array<T, n> found;
      for (std::size_t k = 0; k < n; ++k) found[k] = tape.gradient(watched[k]);
      return found;
    };
    std::array<Exact, n> exact;
    for (std::size_t k = 0; k < n; ++k) exact[k] = convert<double, Cpu>(x[k]);
    auto const found = gradients(x);
    auto const expected = gradients(exact);
    auto const allowed = gradient_rounding_error<typename X::Scalar>(c.op, c.shapes, result);
    for (std::size_t k = 0; k < n; ++k) {
      CAPTURE(k);
      CHECK(found[k].defined() == expected[k].defined());
      if (found[k].defined()) CHECK(relative_error(found[k], expected[k]) <= allowed);
    }
  });
}

}  // namespace consistency::test
