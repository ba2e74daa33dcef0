// SPDX-License-Identifier: MIT
#include <array>

#include <doctest/doctest.h>

#include <consistency/tensor/cuda/program.hpp>
#include <consistency/tensor/elementwise.hpp>

using namespace consistency;
using consistency::cuda::Code;
using consistency::cuda::Program;
using consistency::cuda::Symbol;
using consistency::cuda::Tracer;

namespace {

std::array<Symbol, 2> leaves() {
  Tracer::current().clear();
  return {Symbol::leaf(0), Symbol::leaf(1)};
}
Program traced(Symbol y) { return Tracer::current().program(std::array{y.node()}, 1); }
int count(Program const& p, Code code) {
  auto n = 0;
  for (int i = 0; i < p.length; ++i) n += p.code[i].code == code;
  return n;
}

}  // namespace

TEST_CASE("what is computed twice is computed once") {
  auto const [x, y] = leaves();
  auto const p = traced(exp(x * y) + exp(x * y));
  CHECK(count(p, Code::multiply) == 1);
  CHECK(count(p, Code::exp) == 1);
  CHECK(p.length == 5);
}

TEST_CASE("constants fold, and 0 and 1 vanish from sums and products") {
  auto const [x, y] = leaves();
  CHECK(traced(Symbol{2.0} * Symbol{3.0}).constant[0] == 6);
  CHECK(traced(Symbol{1.0} * x + Symbol{0.0} * y).length == 1);
  CHECK(traced((x - Symbol{0.0}) / Symbol{1.0}).length == 1);
}

TEST_CASE("the derivative of a product is the other factor") {
  auto const [x, y] = leaves();
  using J = Jet<Symbol>;
  auto const p = traced((J{x, Symbol{1.0}} * J{y, Symbol{0.0}}).d);
  REQUIRE(p.length == 1);
  CHECK(p.code[0].code == Code::leaf);
  CHECK(p.code[0].a == 1);
}

TEST_CASE("numbers that nobody needs any more give up their slots") {
  auto [x, y] = leaves();
  for (int i = 0; i < 50; ++i) x = sin(x) * y;
  auto const p = traced(x);
  auto largest = 0;
  for (int i = 0; i < p.length; ++i) largest = p.code[i].to > largest ? p.code[i].to : largest;
  CHECK(p.length == 102);
  CHECK(largest <= 2);
}

TEST_CASE("a chain that is too long is rejected with what to do about it") {
  auto [x, y] = leaves();
  auto const grow = [&] {
    for (int i = 0; i < 100; ++i) x = sin(x) + y;
  };
  CHECK_THROWS_WITH_AS(grow(), doctest::Contains("Evaluate a part of it first"), config_error);
}
