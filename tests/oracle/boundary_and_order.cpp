// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/metric/l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/training/consistency_distillation.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// f(x, t_n) = m + a_n (x − m), with the a_n that make each solver step from t_n land on the same f: the free
/// function that a distillation loss of zero forces.
template <class Solver>
struct ZeroLossFunction {
  Index N;
  std::vector<double> a{0, 1};  // a_1 = 1: the boundary

  explicit ZeroLossFunction(Index points) : N{points} {
    auto const v = TeacherVelocity{ExactTeacher{}, 0};
    auto const velocity = v.given(VarianceExploding{}, Batch<T>{});
    auto const x = T(Shape{1, 1}, gaussian.m + 1);
    for (Index n = 2; n <= N; ++n) {
      T const moved = Solver{}.step(velocity, x, times<double>(1, grid_of(VarianceExploding{})(n, N)),
                                    times<double>(1, grid_of(VarianceExploding{})(n - 1, N)));
      a.push_back(a.back() * (moved[0] - gaussian.m));
    }
  }

  T operator()(auto const&, T const& x, T const& t, Mode const& = {}) const {
    return mapped(x, t, [&](double number, double time) {
      auto const n = 1 + std::lround(grid_of(VarianceExploding{}).to_unit(time) * static_cast<double>(N - 1));
      return gaussian.m + a[static_cast<std::size_t>(n)] * (number - gaussian.m);
    });
  }
};

/// The loss of that function by the library, and its largest error within three standard deviations.
template <class Solver>
std::pair<double, double> loss_and_error(Index N) {
  auto const f = ZeroLossFunction<Solver>{N};
  auto const method = ConsistencyDistillation{.f = f,
                                              .velocity = TeacherVelocity{ExactTeacher{}, 0},
                                              .solver = Solver{},
                                              .metric = L2{},
                                              .times = GridTimes<FixedSteps>{.curriculum = {.N = N}}};
  auto const none = Parameters<T>{ParameterTable{}};
  double loss = 0;
  double error = 0;
  auto const samples = of_noisy_data(N);
  auto const column = [&](auto const& v) { return Samples::column(v, 0, samples.x0.size()); };
  auto const x = column(samples.x0);
  auto const t = column(samples.t);
  T const distances = objective::distance(method, none, none, x, column(samples.z), t, column(samples.r));
  T const y = f(none, x, t);
  for (Index i = 0; i < samples.count(); ++i) {
    auto const scale = std::hypot(gaussian.s, t[i]);
    loss = std::fmax(loss, distances[i] / (scale * scale));
    if (std::abs(x[i] - gaussian.m) <= 3 * scale)
      error = std::fmax(error, std::abs(y[i] - gaussian.transported(x[i], t[i], 0.002)));
  }
  return {loss, error};
}

}  // namespace

TEST_CASE_TEMPLATE("O1: at the smallest time a consistency function gives its input back, bit for bit", S,
                   float, double) {
  auto const f = ConsistencyFunction{Mlp{{.dimensions = 2, .width = 32}}};
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    auto const theta = f.template initialize<S>({seed});
    auto const x = Tensor<S>{80 * normal<S>({2500, 2}, {seed + 10})};
    Tensor<S> const y = f(theta, x, times<S>(2500, grid_of(VarianceExploding{})(1, 18)));
    CHECK(same_bits(x, y));
  }
}

TEST_CASE_TEMPLATE("O2: a function without distillation loss errs by the order of its solver (Theorem 1)",
                   Solver, Euler, Heun) {
  double coarse = 0;
  for (Index const N : {320, 640, 1280, 2560}) {
    auto const [loss, error] = loss_and_error<Solver>(N);
    CAPTURE(N);
    CHECK(loss < 1e-24);
    if (coarse > 0) CHECK(std::abs(slope(coarse, error) - Solver::order) <= 0.05);
    coarse = error;
  }
}

TEST_CASE("O2: where the loss is zero by one solver, it is not by another") {
  auto const f = ZeroLossFunction<Euler>{40};
  auto const method = ConsistencyDistillation{.f = f,
                                              .velocity = TeacherVelocity{ExactTeacher{}, 0},
                                              .solver = Heun{},
                                              .metric = L2{},
                                              .times = GridTimes<FixedSteps>{.curriculum = {.N = 40}}};
  auto const none = Parameters<T>{ParameterTable{}};
  auto const samples = of_noisy_data(40);
  auto const column = [&](auto const& v) { return Samples::column(v, 0, samples.x0.size()); };
  T const distances = objective::distance(method, none, none, column(samples.x0), column(samples.z),
                                          column(samples.t), column(samples.r));
  CHECK(mean(distances)[0] > 1e-5);
}
