// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// A user's own solver: half an Euler step, then the slope found there (the explicit midpoint rule).
struct Midpoint {
  static constexpr int order = 2;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    X const middle = 0.5 * (t + s);
    X const half = x + (middle - t) * v(x, t);
    return x + (s - t) * v(half, middle);
  }
};

struct WithoutOrder {
  template <Value X>
  X step(auto const&, X const& x, Value auto const&, Value auto const&) const {
    return x;
  }
};

static_assert(OdeSolver<Euler> && OdeSolver<Heun> && OdeSolver<Dpm2> && OdeSolver<Midpoint>);
static_assert(!OdeSolver<WithoutOrder> && !OdeSolver<int>);

using T = Tensor<double>;

/// From point `first` of a grid of N points down to ε.
template <class Solver>
T solved(Solver const& solver, auto const& velocity, T x, Index points, Index first) {
  auto const grid = grid_of(VarianceExploding{});
  auto const n = x.shape()[0];
  for (Index i = first; i > 1; --i)
    x = solver.step(velocity, x, times<double>(n, grid(i, points)), times<double>(n, grid(i - 1, points)));
  return x;
}

/// The largest error at ε of solutions that start at every quarter of a grid of N points, within three
/// standard deviations of the noise (Theorem 1 of Song et al. 2023: O(Δt^order) for all x and t).
template <class Solver>
double largest_error(Solver const& solver, auto const& data, Index points) {
  constexpr Index starts = 25;
  auto const grid = grid_of(VarianceExploding{});
  auto const v = exact_velocity(data);
  double largest = 0;
  for (Index quarter = 1; quarter <= 4; ++quarter) {
    auto const first = quarter * points / 4;
    auto const t = grid(first, points);
    auto x = T{Shape{starts, 1}};
    for (Index i = 0; i < starts; ++i)
      x.mutable_data()[i] = 0.3 + std::hypot(0.5, t) * (static_cast<double>(i) - 12) / 4;
    auto const exact = mapped(x, times<double>(starts, t),
                              [&](double a, double b) { return data.transported(a, b, 0.002); });
    largest = std::fmax(largest, distance(solved(solver, v, x, points, first), exact));
  }
  return largest;
}

/// log₂ of the ratio of the errors where the number of points doubles to `points`.
template <class Solver>
double observed_order(Solver const& solver, auto const& data, Index points) {
  return std::log2(largest_error(solver, data, points / 2) / largest_error(solver, data, points));
}

auto const mixture = Mixture{.w = {0.3, 0.7}, .m = {-1.0, 0.8}, .s = {0.2, 0.35}};

}  // namespace

TEST_CASE_TEMPLATE("on Gaussian data a solver has the order that it states", Solver, Euler, Heun) {
  for (Index const points : {640, 1280, 2560}) {
    auto const order = observed_order(Solver{}, Gaussian{}, points);
    CAPTURE(points);
    CHECK(std::abs(order - Solver::order) <= 0.05);
  }
}

// Here the midpoint rule is as good as it states; on Gaussian data its leading error vanishes by accident.
TEST_CASE_TEMPLATE("on a mixture a solver has the order that it states", Solver, Euler, Heun, Dpm2,
                   Midpoint) {
  for (Index const points : {1280, 2560}) {
    auto const order = observed_order(Solver{}, mixture, points);
    CAPTURE(points);
    CHECK(std::abs(order - Solver::order) <= 0.05);
  }
}

TEST_CASE("the closed form and the quantiles of a mixture of one agree") {
  auto const one = Mixture{.w = {1}, .m = {0.3}, .s = {0.5}};
  for (auto const x : {-160.0, -40.0, 0.1, 3.0, 70.0})
    CHECK(one.transported(x, 80, 0.002) ==
          doctest::Approx(Gaussian{}.transported(x, 80, 0.002)).epsilon(1e-9));
}

TEST_CASE("one step on Gaussian data has the values worked out by hand") {
  auto const gaussian = Gaussian{.m = 0, .s = 0.5};
  auto const v = exact_velocity(gaussian);
  auto const x = T(Shape{1, 1}, 1.0);
  auto const t = times<double>(1, 1.088170636545279);
  auto const s = times<double>(1, 0.5853481231945422);
  CHECK(Euler{}.step(v, x, t, s)[0] == doctest::Approx(.6184709267386954).epsilon(1e-13));
  CHECK(Heun{}.step(v, x, t, s)[0] == doctest::Approx(.6556561122745663).epsilon(1e-13));
  // By Algorithm 1 of Lu et al. 2022, written in λ = −ln t.
  CHECK(Dpm2{}.step(v, x, t, s)[0] == doctest::Approx(.6471374949589598).epsilon(1e-13));
  CHECK(gaussian.transported(1, t[0], s[0]) == doctest::Approx(.6428367032150258).epsilon(1e-13));
}

TEST_CASE("Heun's sampler down to 0 has the values worked out independently") {
  auto const v = exact_velocity(Gaussian{.m = 0, .s = 0.5});
  auto const end = [&](Index points) {
    auto const x = solved(Heun{}, v, T(Shape{1, 1}, 80.0), points, points);
    return Euler{}.step(v, x, times<double>(1, 0.002), times<double>(1, 0))[0];
  };
  CHECK(end(18) == doctest::Approx(.527624637001047).epsilon(1e-12));
  CHECK(end(40) == doctest::Approx(.5048768646542274).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("a step of no length and a field of no velocity move nothing", Solver, Euler, Heun, Dpm2,
                   Midpoint) {
  auto const x = normal<float>({3, 2}, {1});
  auto const t = times<float>(3, 2.0);
  auto const v = [](Value auto const& a, Operand auto const&) { return a * a; };
  CHECK(same_numbers(Solver{}.step(v, x, t, t), x));
  auto const still = [](Value auto const& a, Operand auto const&) { return 0.0 * a; };
  CHECK(same_numbers(Solver{}.step(still, x, t, times<float>(3, 1.0)), x));
}

TEST_CASE_TEMPLATE("times belong to samples", Solver, Euler, Heun, Dpm2, Midpoint) {
  auto const v = exact_velocity(mixture);
  auto const x = normal<double>({3, 2}, {1});
  auto const t = tensor<double>({3, 1}, {80.0, 2.0, 0.1});
  auto const s = tensor<double>({3, 1}, {50.0, 1.0, 0.002});
  auto const together = Solver{}.step(v, x, t, s);
  for (Index i = 0; i < 3; ++i)
    CHECK(same_bits(Solver{}.step(v, x.view(2 * i, {1, 2}), t.view(i, {1, 1}), s.view(i, {1, 1})),
                    together.view(2 * i, {1, 2})));
}

TEST_CASE_TEMPLATE("a step is differentiable", Solver, Euler, Heun, Dpm2, Midpoint) {
  auto const v = [](Value auto const& a, Operand auto const& t) { return sin(a) / t; };
  auto const x = normal<double>({4, 1}, {2});
  auto const t = times<double>(4, 1.5);
  auto const s = times<double>(4, 0.7);
  Tape<T> tape;
  auto const watched = tape.watch(x);
  tape.backward(sum(Solver{}.step(v, watched, t, s)));
  constexpr auto h = 1e-6;
  T const slope = (Solver{}.step(v, T(x + h), t, s) - Solver{}.step(v, T(x - h), t, s)) / (2 * h);
  CHECK(distance(tape.gradient(watched), slope) < 1e-9);
}
