// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/metric/l2.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>

#include "exact_on_process.hpp"

using namespace consistency;
using namespace consistency::test;

// One teacher, the exact denoiser of Gaussian data on the variance-exploding process, for students of each.
namespace {

auto const none = Parameters<T>{ParameterTable{}};
auto const teacher = TeacherVelocity{Exact{bell, VarianceExploding{}}, 0};

/// The three processes between the noise levels 0.002 and 10, with grids as each has them.
template <class Process>
Process between() {
  auto const levels = Process{};
  Process p;
  p.epsilon = levels.time(0.002);
  p.T = levels.time(10);
  return p;
}

/// f(x, t) of the data, by any numbers that have a derivative: (x − α m) / √(α² s² + β²) stays what it is.
template <class Process>
struct ExactFunction {
  Process own;

  Process process() const { return own; }
  auto operator()(auto const&, auto const& x, auto const& t, Mode const& = {}) const {
    auto const epsilon = own.range().smallest;
    T const one{x_of(x).shape().per_sample(), 1.0}, zero{one.shape(), 0.0};
    auto const alpha = evaluated(own.point(one, zero, t)), beta = evaluated(own.point(zero, one, t));
    auto const end = own.scale(epsilon), s = bell.s;
    auto const deviation = end * std::hypot(s, own.sigma(epsilon));
    return evaluated(end * bell.m +
                     deviation * (x - bell.m * alpha) / sqrt(square(s * alpha) + square(beta)));
  }
  auto operator()(T const& x, T const& t) const { return (*this)(0, x, t); }

 private:
  static T const& x_of(auto const& x) { return stop_gradient(x); }
};

/// aₙ x + bₙ at each time of a grid, such that every step of the solver along the teacher lands on the same
/// numbers: the free function that a distillation loss of zero forces.
template <class Process, class Solver>
struct ZeroLossFunction {
  Process own;
  Index N;
  std::vector<std::array<double, 2>> line{{}, {1, 0}};  // a₁ x + b₁ = x: the boundary

  ZeroLossFunction(Process const& process, Index points) : own{process}, N{points} {
    auto const velocity = teacher.given(own, Batch<T>{});
    auto const grid = grid_of(own);
    auto const x = tensor<double>({2, 1}, {0, 1});
    for (Index n = 2; n <= N; ++n) {
      T const moved =
          Solver{}.step(velocity, x, times<double>(2, grid(n, N)), times<double>(2, grid(n - 1, N)));
      auto const [a, b] = line.back();
      line.push_back({a * (moved[1] - moved[0]), b + a * moved[0]});
    }
  }

  Process process() const { return own; }
  T operator()(auto const&, T const& x, T const& t, Mode const& = {}) const {
    return mapped(x, t, [&](double number, double time) {
      auto const n = 1 + std::lround(grid_of(own).to_unit(time) * static_cast<double>(N - 1));
      auto const [a, b] = line[static_cast<std::size_t>(n)];
      return a * number + b;
    });
  }
};

/// The loss of that function by the library, and its largest error within three standard deviations.
template <class Process, class Solver>
std::pair<double, double> loss_and_error(Index N) {
  auto const process = between<Process>();
  auto const f = ZeroLossFunction<Process, Solver>{process, N};
  auto const method = ConsistencyDistillation{.f = f,
                                              .velocity = teacher,
                                              .solver = Solver{},
                                              .metric = L2{},
                                              .times = GridTimes<FixedSteps>{.curriculum = {.N = N}}};
  method.check();
  auto const exact = Exact{bell, process};
  std::vector<double> x0, z, t, r;
  for (Index n = 2; n <= N; ++n)
    for (auto const data : {-1.2, .3, 1.8})  // three deviations apart
      for (auto const noise : {-3.0, 0.0, 3.0}) {
        x0.push_back(data), z.push_back(noise);
        t.push_back(grid_of(process)(n, N)), r.push_back(grid_of(process)(n - 1, N));
      }
  auto const column = [&](auto const& v) { return Samples::column(v, 0, x0.size()); };
  T const distances = objective::distance(method, none, none, column(x0), column(z), column(t), column(r));
  T const x = process.point(column(x0), column(z), column(t));
  T const y = f(none, x, column(t));
  double error = 0;
  for (Index i = 0; i < x.count(); ++i)
    error = std::fmax(error, std::abs(y[i] - exact.transported(x[i], t[static_cast<std::size_t>(i)],
                                                               process.range().smallest)));
  return {magnitude(distances), error};
}

}  // namespace

TEST_CASE_TEMPLATE("on every process the target of distillation errs by the order of its solver", Solver,
                   Euler, Ddim, Heun, Dpm2) {
  auto const check = [](auto const& process) {
    using Process = std::remove_cvref_t<decltype(process)>;
    CAPTURE(process.text());
    auto const [loss, coarse] = loss_and_error<Process, Solver>(640);
    auto const [again, fine] = loss_and_error<Process, Solver>(1280);
    CHECK(std::fmax(loss, again) < 1e-22);
    CHECK(std::abs(slope(coarse, fine) - Solver::order) <= 0.05);
  };
  check(VarianceExploding{});
  check(LinearPath{});
  check(Trigonometric{});
}

TEST_CASE_TEMPLATE("the exact function of a process does not change along a teacher of another", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  auto const process = between<Process>();
  auto const method = ContinuousConsistencyDistillation{
      .f = ExactFunction<Process>{process}, .velocity = teacher, .metric = L2{}, .target = StudentTarget{}};
  method.check();
  constexpr Index n = 50;
  T const x0 = .3 + .5 * normal<double>({n, 1}, {1});
  auto const z = normal<double>({n, 1}, {2});
  T t{Shape{n, 1}};
  for (Index i = 0; i < n; ++i) t.mutable_data()[i] = grid_of(process)(i + 1, n);
  T const change = continuous::distance(method, none, none, x0, z, t);
  // ½ J² of a J whose two parts, of the size of 1 / ε at most, cancel to rounding.
  CHECK(magnitude(change) < 1e-18);
  // A teacher of other data changes it.
  auto const other = TeacherVelocity{Exact{GaussianData{{.m = .4, .s = .5}}, VarianceExploding{}}, 0};
  auto const astray = ContinuousConsistencyDistillation{
      .f = method.f, .velocity = other, .metric = L2{}, .target = StudentTarget{}};
  CHECK(magnitude(T(continuous::distance(astray, none, none, x0, z, t))) > 1e-4);
}

TEST_CASE_TEMPLATE("samples of the exact denoiser come to those of the exact function, in order", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  auto const settings = SampleSettings{.seed = 5, .count = 200, .batch = 64};
  auto const process = Process{};
  auto const expected = sample<T>(ExactFunction<Process>{process}, process, {1}, OneStep{}, settings);
  auto const error = [&]<class Solver>(Solver, Index steps) {
    return distance(expected, sample<T>(Exact{bell, process}, process, {1},
                                        OdeSampler<Solver>{.steps = steps, .to_zero = false}, settings));
  };
  CHECK(std::abs(slope(error(Euler{}, 500), error(Euler{}, 1000)) - 1) <= 0.05);
  CHECK(std::abs(slope(error(Ddim{}, 500), error(Ddim{}, 1000)) - 1) <= 0.05);
  CHECK(std::abs(slope(error(Heun{}, 500), error(Heun{}, 1000)) - 2) <= 0.05);
  CHECK(error(Heun{}, 1000) < 1e-4);
}
