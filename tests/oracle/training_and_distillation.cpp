// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/metric/l2.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_training.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const student = Student{TanhNetwork{}};

/// E[w d(f_θ(x_t, t), f_θ⁻(x_r, r))] by Euler's rule, with a teacher or without.
Expectation by_teacher(Parameters<T> const& theta, Parameters<T> const& theta_minus, Index N) {
  auto const method = ConsistencyDistillation{
      .f = student, .velocity = TeacherVelocity{ExactTeacher{}, 0}, .solver = Euler{}, .metric = L2{}};
  return expectation(of_noisy_data(N), theta, [&](auto const& on_tape, auto const&... at) {
    return objective::distance(method, on_tape, theta_minus, at...);
  });
}
Expectation by_data(Parameters<T> const& theta, Parameters<T> const& theta_minus, Index N) {
  auto const method = ConsistencyTraining{.f = student, .metric = L2{}};
  return expectation(of_data_and_noise(N), theta, [&](auto const& on_tape, auto const&... at) {
    return objective::distance(method, on_tape, theta_minus, at...);
  });
}

}  // namespace

TEST_CASE(
    "O3: the losses with and without a teacher differ by o(dt), and so do their gradients (Theorem 2)") {
  auto const theta = parameters_near_one(9);
  auto const theta_minus = parameters_near_one(9, 0.1);
  double value_gap = 0;
  double gradient_gap = 0;
  for (Index const N : {128, 256, 512, 1024}) {
    auto const cd = by_teacher(theta, theta_minus, N);
    auto const ct = by_data(theta, theta_minus, N);
    auto const value = std::abs(cd.value - ct.value);
    auto const gradient = relative_gap(ct.gradient, cd.gradient);
    CAPTURE(N);
    if (value_gap > 0) {
      CHECK(slope(value_gap, value) == doctest::Approx(2).epsilon(0.1));
      CHECK(slope(gradient_gap, gradient) == doctest::Approx(2).epsilon(0.1));
    }
    value_gap = value;
    gradient_gap = gradient;
  }
  CHECK(gradient_gap < 1e-4);
}

TEST_CASE("the discrete losses are those of Algorithms 2 and 3, written out independently") {
  auto const theta = parameters_near_one(9);
  auto const theta_minus = parameters_near_one(9, 0.1);
  auto const grid = grid_of(VarianceExploding{});
  auto const f = [&](auto const& parameters, double x, double t) {
    return independent_student(parameters, x, t).real();
  };
  for (Index n = 1; n < 18; ++n) {
    auto const t = grid(n + 1, 18), r = grid(n, 18);
    auto const z = 0.1 * static_cast<double>(n) - 0.8, x0 = 0.5;
    auto const column = [](double a) { return T(Shape{1, 1}, a); };
    auto const found = [&](auto const& method) {
      T const d =
          objective::distance(method, theta, theta_minus, column(x0), column(z), column(t), column(r));
      return d[0];
    };
    auto const x = x0 + t * z;
    auto const squared_gap = [&](double x_r) {
      auto const gap = f(theta, x, t) - f(theta_minus, x_r, r);
      return gap * gap;
    };
    auto const slope_at = [](double a, double b) {
      return b * (a - gaussian.m) / (gaussian.s * gaussian.s + b * b);
    };
    auto const euler = x + (r - t) * slope_at(x, t);
    auto const heun = x + (r - t) / 2 * (slope_at(x, t) + slope_at(euler, r));
    auto const teacher = TeacherVelocity{ExactTeacher{}, 0};
    CHECK(relative_error(found(ConsistencyTraining{.f = student, .metric = L2{}}), squared_gap(x0 + r * z)) <
          1e-9);
    CHECK(relative_error(found(ConsistencyDistillation{.f = student, .velocity = teacher, .solver = Euler{}}),
                         squared_gap(euler)) < 1e-9);
    CHECK(relative_error(found(ConsistencyDistillation{.f = student, .velocity = teacher, .solver = Heun{}}),
                         squared_gap(heun)) < 1e-9);
  }
}

TEST_CASE("O9: consistency training on drawn batches has the expectation of its loss") {
  constexpr Index N = 18, batch = 1000, batches = 1000;
  auto const theta = parameters_near_one(9);
  auto const theta_minus = parameters_near_one(9, 0.1);
  auto const method = ConsistencyTraining{
      .f = student, .metric = L2{}, .times = GridTimes<FixedSteps>{.curriculum = {.N = N}}};
  double total = 0;
  double squares = 0;
  for (Index k = 0; k < batches; ++k) {
    T const x0 =
        gaussian.m + gaussian.s * normal<double>({batch, 1}, {21}, {static_cast<std::uint32_t>(k), 0});
    T const loss = method.loss(theta, theta_minus, x0, method.draw(x0, k, Key{22}));
    total += loss[0];
    squares += loss[0] * loss[0];
  }
  auto const mean = total / batches;
  auto const error = std::sqrt((squares / batches - mean * mean) / batches);
  auto const expected = by_data(theta, theta_minus, N).value;
  CHECK(std::abs(mean - expected) < 4.5 * error);
  CHECK(error < 0.01 * expected);
}
