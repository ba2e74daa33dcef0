// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/autodiff/text.hpp>

using namespace consistency;

namespace {

using X = Tensor<float>;
auto const x = X(Shape{1}, 0.5F);

}  // namespace

TEST_CASE("a variable's text says where it stands on its tape") {
  Tape<X> tape;
  auto const v = tape.watch(x);
  CHECK(text(v) == "Variable, node 0 of its tape: Tensor<float, Cpu> (1)\n[0.5]");
  CHECK(text(Variable<X>(x)) == "Variable, constant: Tensor<float, Cpu> (1)\n[0.5]");
  CHECK(text(v * v) == "Variable, node 1 of its tape: Tensor<float, Cpu> (1)\n[0.25]");
}

TEST_CASE("a dual's text has value and tangent") {
  CHECK(text(Dual<X>(x, x)) == "Dual: Tensor<float, Cpu> (1)\n[0.5]\ntangent: Tensor<float, Cpu> (1)\n[0.5]");
  CHECK(text(Dual<X>(x)).ends_with("\ntangent: 0"));
  CHECK(text(Dual<Variable<X>>(x, x)).starts_with("Dual: Variable, constant: "));
}
