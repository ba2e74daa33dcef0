// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/curvature.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

auto const y = normal<double>({3, 4}, {1});
auto const a = normal<double>({3, 4}, {2});
auto const b = normal<double>({3, 4}, {3});

}  // namespace

TEST_CASE("the curvature of L2 is 2 / d, that of pseudo-Huber 1 / c, times the scalar product") {
  T const product = sum_per_sample(a * b);
  CHECK(distance(curvature<T>(L2{}, y, a, b), T(0.5 * product)) < 1e-14);
  CHECK(distance(curvature<T>(PseudoHuber{0.25}, y, a, b), T(4.0 * product)) < 1e-13);
}

TEST_CASE("the curvature is symmetric, and its gradient is the Hessian-vector product") {
  auto const metric = PseudoHuber{0.3};
  CHECK(distance(curvature<T>(metric, y, a, b), curvature<T>(metric, y, b, a)) < 1e-13);
  Tape<T> tape;
  auto const watched = tape.watch(a);
  tape.backward(sum(curvature<Variable<T>>(metric, y, watched, b)));
  CHECK(distance(tape.gradient(watched), T(b / 0.3)) < 1e-13);
}
