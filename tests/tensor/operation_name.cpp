// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/forward.hpp>
#include <consistency/tensor/functions.hpp>
#include <consistency/tensor/operation_name.hpp>

using namespace consistency;

namespace {

struct Softplus {  // a function of a program's own
  template <class S>
  static S of(S a) {
    return a;
  }
};

template <class Op>
std::string name_of() {
  return operation_name(type_signature<Op>());
}
template <class F, class... V>
std::string formula(Expression<F, V...> const&) {
  return name_of<Pointwise<F>>();
}

}  // namespace

TEST_CASE("an operation is called as its settings are") {
  CHECK(name_of<op::Conv2d>() == "Conv2d");
  CHECK(name_of<op::GroupNorm>() == "GroupNorm");
}

TEST_CASE("an element-wise chain is called by its formula, with the parentheses that it needs") {
  Tensor<float> const x;
  CHECK(formula(x + x) == "a + b");
  CHECK(formula(x - (x - x)) == "a - (b - c)");
  CHECK(formula(x - x - x) == "a - b - c");
  CHECK(formula(2.0 * (x + 1.0) / x) == "k * (a + k) / b");
  CHECK(formula(x / (x * x)) == "a / (b * c)");
  CHECK(formula(silu(x * x + x)) == "silu(a * b + c)");
  CHECK(formula(-(x + x) * x) == "-(a + b) * c");
  CHECK(formula(-square(x)) == "-square(a)");
  CHECK(formula(pointwise::unary<Softplus>(x)) == "softplus(a)");
}

TEST_CASE("a derivative along a direction is called d of its formula") {
  using F = pointwise::Binary<pointwise::Multiply, pointwise::Leaf, pointwise::Leaf>;
  CHECK(name_of<Pointwise<pointwise::Tangent<F>>>() == "d(a * b)");
}

TEST_CASE("operands of a long chain have names of their own") {
  Tensor<float> const x;
  auto const eight = x + x + x + x + x + x + x + x;
  CHECK(formula((eight + eight) * (eight + eight)).find("+ z + a1 + b1") != std::string::npos);
}
