// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/memory.hpp>
#include <consistency/core/parallel.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;
using V = Variable<T>;

}  // namespace

TEST_CASE("what is recomputed runs again in the backward pass and has the same gradients to the bit") {
  int runs = 0;
  auto const body = [&](auto const& x, auto const& y) {
    ++runs;
    return evaluated(sin(evaluated(x * y)) + exp(x) * tanh(y));
  };
  auto const gradients = [&](bool again) {
    Tape<T> tape;
    auto const x = tape.watch(random<double>(Shape{3, 4}, 1));
    auto const y = tape.watch(random<double>(Shape{3, 4}, 2));
    runs = 0;
    V const inner = again ? recomputed(body, x, y) : body(x, y);
    V const outer = again ? recomputed(body, inner, y) : body(inner, y);
    CHECK(runs == 2);
    tape.backward(V(outer * x), random<double>(Shape{3, 4}, 3));
    CHECK(runs == (again ? 4 : 2));
    return std::array{outer.value(), tape.gradient(x), tape.gradient(y)};
  };
  auto const expected = gradients(false);
  auto const found = gradients(true);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same_bits(found[i], expected[i]));
}

TEST_CASE("recomputed bodies may stand inside each other, give an input back or a constant") {
  auto const x0 = random<double>(Shape{5}, 1);
  Tape<T> tape;
  auto const x = tape.watch(x0);
  auto const twice = [](V const& a) { return V(2 * a); };
  auto const nested = [&](V const& a) { return V(recomputed(twice, V(a * a)) + a); };
  auto const same = [](V const& a) { return a; };
  auto const constant = [](V const& a) { return V(stop_gradient(a)); };
  tape.backward(recomputed(nested, x) + recomputed(same, x) + recomputed(constant, x));
  for (Index i = 0; i < 5; ++i) CHECK(tape.gradient(x)[i] == doctest::Approx(4 * x0[i] + 2).epsilon(1e-14));
}

TEST_CASE("without a variable of the tape, and for duals, recomputed is the body itself") {
  auto const x = random<double>(Shape{5}, 1);
  auto const body = [](auto const& a) { return evaluated(a * sin(a)); };
  CHECK(same_bits(recomputed(body, x), body(x)));
  CHECK(recomputed(body, V(x)).node() == -1);
  auto const found = recomputed(body, Dual<T>{x, x});
  auto const expected = body(Dual<T>{x, x});
  CHECK(same_bits(found.primal, expected.primal));
  CHECK(same_bits(found.tangent, expected.tangent));
}

TEST_CASE("what is recomputed is not kept") {
  constexpr Index count = Index{1} << 19U;  // 4 MiB a tensor: more than all other tests of this room hold
  constexpr int bodies = 8;
  set_threads(1);
  auto const body = [](V const& x) {
    V h = x;
    for (int i = 0; i < 4; ++i) h = sin(h);
    return h;
  };
  auto const peak = [&](bool again) {
    Tape<T> tape;
    V h = tape.watch(T(Shape{1, count}, 0.5));
    for (int i = 0; i < bodies; ++i) h = again ? recomputed(body, h) : body(h);
    tape.backward(h);
    return MemoryPool::instance().peak_bytes();
  };
  auto const less = peak(true);
  auto const more = peak(false);
  // One input of each body, and what one body keeps, against all four of each.
  CHECK(static_cast<double>(less) < 0.6 * static_cast<double>(more));
}
