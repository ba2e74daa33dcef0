// SPDX-License-Identifier: MIT
#include <cmath>
#include <complex>

#include <doctest/doctest.h>

#include <consistency/metric/l1.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/weighting/grid_speed_weighting.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const student = Student{TanhNetwork{}};
auto const teacher = TeacherVelocity{ExactTeacher{}, 0};

/// t = τ(u) at the middles of `count` equal parts of (0, 1), with x_t ~ N(m, s² + t²).
Samples over_time(int count) {
  auto const rule = NormalQuadrature{};
  Samples all;
  for (int a = 0; a < count; ++a)
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
      auto const t = grid_of(VarianceExploding{}).from_unit((a + 0.5) / count);
      all.add(gaussian.m + std::hypot(gaussian.s, t) * rule.nodes[i], 0, t, 0, rule.weights[i] / count);
    }
  return all;
}

/// As before, with x₀ ~ N(m, s²) and z ~ N(0, 1).
Samples over_time_and_noise(int count) {
  auto const rule = NormalQuadrature{31};
  Samples all;
  for (int a = 0; a < count; ++a)
    for (std::size_t i = 0; i < rule.nodes.size(); ++i)
      for (std::size_t j = 0; j < rule.nodes.size(); ++j)
        all.add(gaussian.m + gaussian.s * rule.nodes[i], rule.nodes[j],
                grid_of(VarianceExploding{}).from_unit((a + 0.5) / count), 0,
                rule.weights[i] * rule.weights[j] / count);
  return all;
}

/// E over `samples` of a continuous method; θ⁻ = θ.
Expectation limit(auto const& method, Samples const& samples, Parameters<T> const& theta) {
  return expectation(samples, theta, [&](auto const& on_tape, T const& x0, T const& z, T const& t, T const&) {
    return continuous::distance(method, on_tape, theta, x0, z, t);
  });
}
/// E over a grid of N points of a discrete method; θ⁻ = stopgrad(θ).
Expectation at(auto const& method, Samples const& samples, Parameters<T> const& theta) {
  return expectation(samples, theta, [&](auto const& on_tape, auto const&... where) {
    return objective::distance(method, on_tape, theta, where...);
  });
}

template <class D>
auto distillation(D metric) {
  return ConsistencyDistillation{.f = student, .velocity = teacher, .solver = Euler{}, .metric = metric};
}

/// Checks that errors(N) fall by half where N doubles, and that the last is at most `largest`.
void falls_with_the_step(auto const& error, double largest) {
  double coarse = 0;
  for (Index const N : {256, 512, 1024}) {
    auto const fine = error(N);
    CAPTURE(N);
    if (coarse > 0) CHECK(slope(coarse, fine) == doctest::Approx(1).epsilon(0.1));
    coarse = fine;
  }
  CHECK(coarse <= largest);
}

}  // namespace

TEST_CASE("O4: (N - 1)^2 times the distillation loss tends to the continuous one (Theorem 3)") {
  auto const theta = parameters_near_one(9);
  auto const exact = limit(ContinuousConsistencyDistillation{.f = student,
                                                             .velocity = teacher,
                                                             .metric = L2{},
                                                             .distribution = UniformDistribution{},
                                                             .weighting = GridSpeedWeighting{.squared = true},
                                                             .target = StudentTarget{}},
                           over_time(4000), theta);
  falls_with_the_step(
      [&](Index N) {
        auto const M = static_cast<double>(N - 1);
        return relative_error(M * M * at(distillation(L2{}), of_noisy_data(N), theta).value, exact.value);
      },
      2e-3);
}

TEST_CASE("O5: N - 1 times the distillation loss of a norm tends to the continuous one (Theorem 4)") {
  auto const theta = parameters_near_one(9);
  auto const exact = limit(ContinuousConsistencyDistillation{.f = student,
                                                             .velocity = teacher,
                                                             .metric = L1{},
                                                             .distribution = UniformDistribution{},
                                                             .weighting = GridSpeedWeighting{},
                                                             .target = StudentTarget{}},
                           over_time(4000), theta);
  falls_with_the_step(
      [&](Index N) {
        return relative_error(
            static_cast<double>(N - 1) * at(distillation(L1{}), of_noisy_data(N), theta).value, exact.value);
      },
      1e-3);
}

TEST_CASE("O6: N - 1 times the gradients of distillation and of training tend to one limit (Theorems 5, 6)") {
  auto const theta = parameters_near_one(9);
  auto const with_teacher = limit(ContinuousConsistencyDistillation{.f = student,
                                                                    .velocity = teacher,
                                                                    .metric = L2{},
                                                                    .distribution = UniformDistribution{},
                                                                    .weighting = GridSpeedWeighting{},
                                                                    .target = StopGradientTarget{}},
                                  over_time(4000), theta);
  auto const without = limit(ContinuousConsistencyTraining{.f = student,
                                                           .metric = L2{},
                                                           .distribution = UniformDistribution{},
                                                           .weighting = GridSpeedWeighting{}},
                             over_time_and_noise(1000), theta);
  CHECK(relative_gap(without.gradient, with_teacher.gradient) < 1e-5);
  auto const error_of = [&](auto const& method, auto const& samples) {
    return [&](Index N) {
      T const scaled = static_cast<double>(N - 1) * at(method, samples(N), theta).gradient;
      return relative_gap(scaled, with_teacher.gradient);
    };
  };
  falls_with_the_step(error_of(distillation(L2{}), of_noisy_data), 2e-3);
  falls_with_the_step(error_of(ConsistencyTraining{.f = student, .metric = L2{}}, of_data_and_noise), 2e-3);
}

TEST_CASE("O6: with the pseudo-Huber metric they do once the step is small against c") {
  auto const theta = parameters_near_one(9);
  auto const metric = PseudoHuber{0.03};
  auto const exact = limit(ContinuousConsistencyDistillation{.f = student,
                                                             .velocity = teacher,
                                                             .metric = metric,
                                                             .distribution = UniformDistribution{},
                                                             .weighting = GridSpeedWeighting{},
                                                             .target = StopGradientTarget{}},
                           over_time(4000), theta);
  for (Index const N : {1024, 2048}) {
    T const scaled = static_cast<double>(N - 1) * at(distillation(metric), of_noisy_data(N), theta).gradient;
    CHECK(relative_gap(scaled, exact.gradient) <= 2e-2);
  }
}

TEST_CASE("O8: the continuous loss and its gradient are those of an independent complex step") {
  using C = std::complex<double>;
  constexpr auto h = 1e-100;
  auto theta = parameters_near_one(9);
  auto const samples = over_time(40);
  auto const whole = [&](auto const& v) { return Samples::column(v, 0, samples.x0.size()); };
  auto const x = whole(samples.x0);
  auto const t = whole(samples.t);

  // J = ∂f/∂t + v ∂f/∂x along the ODE, v = t (x − m) / (s² + t²).
  std::vector<double> J;
  for (Index i = 0; i < samples.count(); ++i) {
    auto const v = t[i] * (x[i] - gaussian.m) / (gaussian.s * gaussian.s + t[i] * t[i]);
    J.push_back(independent_student(theta, C(x[i], h * v), C(t[i], h)).imag() / h);
  }
  auto const stopped = ContinuousConsistencyDistillation{.f = student, .velocity = teacher};
  auto const through = ContinuousConsistencyDistillation{.f = student,
                                                         .velocity = teacher,
                                                         .metric = L2{},
                                                         .distribution = UniformDistribution{},
                                                         .weighting = UniformWeighting{},
                                                         .target = StudentTarget{}};
  auto const norm = ContinuousConsistencyDistillation{.f = student,
                                                      .velocity = teacher,
                                                      .metric = L1{},
                                                      .distribution = UniformDistribution{},
                                                      .weighting = UniformWeighting{},
                                                      .target = StudentTarget{}};
  T const a = continuous::distance(stopped, theta, theta, x, whole(samples.z), t);
  T const b = continuous::distance(through, theta, theta, x, whole(samples.z), t);
  T const c = continuous::distance(norm, theta, theta, x, whole(samples.z), t);
  auto const huber =
      ContinuousConsistencyDistillation{.f = student, .velocity = teacher, .metric = PseudoHuber{0.03}};
  T const d = continuous::distance(huber, theta, theta, x, whole(samples.z), t);
  double largest = 0;
  for (auto const j : J) largest = std::fmax(largest, std::abs(j));
  for (Index i = 0; i < samples.count(); ++i) {
    auto const j = J[static_cast<std::size_t>(i)];
    auto const tolerance = 1e-12 * (std::abs(j) + largest) * std::abs(j);
    CHECK(std::abs(a[i] - j * j) <= tolerance);
    CHECK(std::abs(b[i] - j * j) <= tolerance);
    CHECK(std::abs(c[i] - std::abs(j)) <= 1e-12 * (std::abs(j) + largest));
    CHECK(std::abs(d[i] - 0.5 * j * j / 0.03) <= tolerance / 0.06);
  }

  // Without a teacher the velocity is the noise: x_t = x₀ + t z moves by z.
  auto const noisy = over_time_and_noise(3);
  auto const part = [&](auto const& numbers) { return Samples::column(numbers, 0, noisy.x0.size()); };
  T const e = continuous::distance(ContinuousConsistencyTraining{.f = student}, theta, theta, part(noisy.x0),
                                   part(noisy.z), part(noisy.t));
  for (std::size_t i = 0; i < noisy.x0.size(); ++i) {
    auto const at = C(noisy.x0[i] + noisy.t[i] * noisy.z[i], h * noisy.z[i]);
    auto const j = independent_student(theta, at, C(noisy.t[i], h)).imag() / h;
    CHECK(std::abs(e[static_cast<Index>(i)] - j * j) <= 1e-11 * (j * j + 1e-6));
  }

  // With a stopped target the gradient is Σ w 2 J ∂f/∂θ. The complex step in θ is a central difference here,
  // as parameters are real: fourth order.
  auto const gradient = limit(stopped, samples, theta).gradient;
  auto flat = theta.flat();
  for (Index p = 0; p < flat.count(); ++p) {
    auto const slope_of = [&](Index i, double step) {
      auto const kept = flat[p];
      flat.mutable_data()[p] = kept + step;
      auto const value = independent_student(theta, x[i], t[i]).real();
      flat.mutable_data()[p] = kept;
      return value;
    };
    double expected = 0;
    for (Index i = 0; i < samples.count(); ++i) {
      constexpr auto apart = 1e-3;
      auto const by_parameter = (8 * (slope_of(i, apart) - slope_of(i, -apart)) -
                                 (slope_of(i, 2 * apart) - slope_of(i, -2 * apart))) /
                                (12 * apart);
      expected +=
          samples.weight[static_cast<std::size_t>(i)] * 2 * J[static_cast<std::size_t>(i)] * by_parameter;
    }
    CHECK(std::abs(gradient[p] - expected) <= 1e-8 * (1 + std::abs(expected)));
  }
}

TEST_CASE("O8: the gradient through the JVP is that of finite differences (Theorems 3 and 4)") {
  auto const theta = parameters_near_one(9);
  auto const samples = over_time(40);
  auto const check = [&](auto const& method) {
    auto const gradient = limit(method, samples, theta).gradient;
    auto const direction = normal<double>({1, theta.flat().count()}, {8});
    auto const value = [&](double step) {
      auto moved = theta;
      for (Index i = 0; i < direction.count(); ++i) moved.flat().mutable_data()[i] += step * direction[i];
      return limit(method, samples, moved).value;
    };
    constexpr auto h = 1e-4;
    auto const expected = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
    CHECK(relative_error(dot(gradient, direction), expected) < 1e-7);
  };
  check(ContinuousConsistencyDistillation{.f = student,
                                          .velocity = teacher,
                                          .metric = L2{},
                                          .distribution = UniformDistribution{},
                                          .weighting = UniformWeighting{},
                                          .target = StudentTarget{}});
  check(ContinuousConsistencyDistillation{.f = student,
                                          .velocity = teacher,
                                          .metric = PseudoHuber{},
                                          .distribution = UniformDistribution{},
                                          .weighting = UniformWeighting{},
                                          .target = StudentTarget{}});
}
