// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/identity/blended_identity.hpp>
#include <consistency/identity/eulerian_identity.hpp>
#include <consistency/identity/lagrangian_identity.hpp>
#include <consistency/identity/semigroup_identity.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/parameterization/ctm_preconditioning.hpp>
#include <consistency/training/consistency_trajectory_model.hpp>

#include "exact_on_process.hpp"

// Flow maps of x₀ ~ N(0.3, s²) in closed form: the numbers were computed from their formulas to 16 digits.

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr auto exactly = 1e-10;
using Two = std::array<double, 2>;
using Three = std::array<double, 3>;
using Four = std::array<double, 4>;

T one(double number) { return T(Shape{1, 1}, number); }

T column(std::vector<double> const& numbers) { return Samples::column(numbers, 0, numbers.size()); }

struct WithoutParameters {
  ParameterTable table{};
  ParameterTable const& parameters() const { return table; }
  Shape data_shape() const { return {1}; }
};

/// u(x, t, r) on the linear path: with e = x − μ_t and V = (1 − t)² s² + t² it is −m + e (1 − √(V_r / V_t)) /
/// (t − r), here without a division by t − r.
struct AverageVelocity : WithoutParameters {
  double m = 0.3, s2 = 0.25;

  template <class A, class B, class End>
  auto operator()(auto const&, Value auto const& x, Conditions<A, B, End> const& at, Mode const& = {}) const {
    auto const& [t, none, r] = at;
    auto const variance = [&](auto const& time) { return evaluated(s2 * square(1.0 - time) + square(time)); };
    auto const V_t = variance(t);
    auto const V_r = variance(r);
    auto const slope = evaluated(((1 + s2) * (t + r) - 2 * s2) / (V_t + sqrt(V_t * V_r)));
    return evaluated(slope * (x - (1.0 - t) * m) - m);
  }
};

/// F of f(x, t) = m + (x − m cos t) s / √W in TrigFlow, for x / σ_d.
struct TrigonometricOutput : WithoutParameters {
  double s, m = 0.3, sigma_data = 0.5;

  explicit TrigonometricOutput(double deviation) : s{deviation} {}

  auto operator()(auto const&, Value auto const& scaled, Operand auto const& time, Mode const& = {}) const {
    auto const& t = evaluated(time);
    auto const x = evaluated(sigma_data * scaled);
    auto const W = evaluated(s * s * square(cos(t)) + sigma_data * sigma_data * square(sin(t)));
    auto const f = evaluated(m + (x - m * cos(t)) * (s / sqrt(W)));
    return evaluated((cos(t) * x - f) / (sigma_data * sin(t)));
  }
};

/// One side of an identity at points of the exact map.
struct Sides {
  T prediction, target;
};
Sides sides(auto const& identity, auto const& f, T const& x, T const& v, T const& t, T const& q, T const& r,
            Index k = 0) {
  auto const theta = Parameters<T>{f.network().parameters()};
  auto const none = Condition<T>{};
  auto const mode = Mode{};
  T diagonal{t.shape()};
  for (Index i = 0; i < t.count(); ++i) diagonal.mutable_data()[i] = t[i] == r[i] ? 1 : 0;
  auto const both = identity(f.given(none), theta, theta, SpanPoint<T>{x, v, t, q, r, diagonal, k, mode});
  return {both.prediction, both.target};
}

FlowMap const X{AverageVelocity{}};
auto const theta = Parameters<T>{X.network().parameters()};

/// Points of the table, and what is known there.
auto const x = column({1, 1, -0.7, 0.9, 2, 0, -1.5});
auto const t = column({1, 1, 0.8, 0.5, 0.9, 0.3, 1});
auto const r = column({0, 0.5, 0.2, 0.25, 0.899, 0, 0.125});
auto const v = column({0.7, 0.7, -1.1769230769230767, 0.6, 1.8215384615384613, -0.4235294117647059, -1.8});

T average_velocity(T const& at, T const& from, T const& to) {
  auto const none = Condition<T>{};
  return X.given(none).output(theta, at, from, to);
}

}  // namespace

TEST_CASE("the flow map of Gaussian data on the linear path is what the sheet of numbers says") {
  auto const points = column({0.8, 0.7090169943749475, -0.1815721491311741, 0.8296693311223913,
                              1.9981788349583223, 0.0722230192904110, -0.4200103021200486});
  auto const u = column({0.2, 0.581966011250105, -0.8640464181147096, 0.281322675510435, 1.8211650416777287,
                         -0.2407433976347033, -1.2342739404342302});
  CHECK(distance(T(X(theta, x, t, r)), points) < exactly);
  CHECK(distance(average_velocity(x, t, r), u) < exactly);
  CHECK(distance(average_velocity(x, t, t), v) < exactly);
}

TEST_CASE("tangents of the average velocity: along x, along t, along the flow") {
  auto const at = [&](Index i, T const& whole) { return T(Shape{1, 1}, whole[i]); };
  auto const none = Condition<T>{};
  auto const known =
      std::array{Three{0.5, 0.15, 0.5}, Three{0.8819660112501051, -0.3813082303752839, 0.2360679774997896},
                 Three{0.7421663396246181, 0.3520115940058075, -0.5214610980139451}};
  for (Index i = 0; i < 3; ++i) {
    auto const along = [&](double dx, double dt) {
      auto const one = Shape{1, 1};
      return X.given(none)
          .output(theta, Dual<T>{at(i, x), T(one, dx)}, Dual<T>{at(i, t), T(one, dt)}, at(i, r))
          .tangent[0];
    };
    auto const& [dx, dt, total] = known[static_cast<std::size_t>(i)];
    CHECK(along(1, 0) == doctest::Approx(dx).epsilon(exactly));
    CHECK(along(0, 1) == doctest::Approx(dt).epsilon(exactly));
    CHECK(along(v[i], 1) == doctest::Approx(total).epsilon(exactly));
  }
}

TEST_CASE("with the marginal velocity the exact flow map is what each identity asks for") {
  for (auto const own : {false, true}) {
    auto const [u, y] = sides(EulerianIdentity{.own_direction = own}, X, x, v, t, r, r);
    CHECK(distance(u, y) < 1e-14);
  }
  auto const [slope, velocity] = sides(LagrangianIdentity{}, X, x, v, t, r, r);
  CHECK(distance(slope, velocity) < 1e-14);
  CHECK(slope[0] == doctest::Approx(-0.8).epsilon(exactly));
  CHECK(slope[1] == doctest::Approx(0.3708203932499369).epsilon(exactly));
  CHECK(slope[2] == doctest::Approx(-0.3).epsilon(exactly));
  auto const [whole, parts] = sides(SemigroupIdentity{}, X, x, v, t, T(0.5 * (t + r)), r);
  CHECK(distance(whole, parts) < 1e-14);
  CHECK(parts[2] == doctest::Approx(-0.8640464181147096).epsilon(exactly));
}

TEST_CASE("on the diagonal each identity compares the map's velocity with the one that is given") {
  auto const given = column({1, 2, 3, 4, 5, 6, 7});
  auto const check = [&](auto const& identity) {
    auto const [own, y] = sides(identity, X, x, given, t, t, t);
    CHECK(distance(own, v) < 1e-14);
    CHECK(distance(y, given) < 1e-14);
  };
  check(EulerianIdentity{});
  check(LagrangianIdentity{});
  check(SemigroupIdentity{});
  check(BlendedIdentity<>{});
}

// MeanFlow's target of one sample is u + ∂ₓX (v_c − v): at x = 0.02, t = 0.6 the data's velocity v_c has mean
// v = −0.425 and variance 0.625, and ∂ₓX = 0.70710678 for r = 0.2.
TEST_CASE("MeanFlow's target is noisy by the flow map's Jacobian, and its loss has a floor") {
  auto const [u, y] = sides(EulerianIdentity{}, X, one(0.02), one(-1.3), one(0.6), one(0.2), one(0.2));
  CHECK(u[0] == doctest::Approx(-0.3732233047033631).epsilon(exactly));
  CHECK(y[0] == doctest::Approx(-0.9919417382415923).epsilon(exactly));
  CHECK(y[0] - u[0] == doctest::Approx(0.7071067811865476 * (-1.3 + 0.425)).epsilon(exactly));
  auto const deviation = std::sqrt(0.625);
  auto const both = column({-0.425 - deviation, -0.425 + deviation});
  auto const twice = [](double number) { return T(Shape{2, 1}, number); };
  auto const sample = sides(EulerianIdentity{}, X, twice(0.02), both, twice(0.6), twice(0.2), twice(0.2));
  CHECK(evaluated(mean(square(sample.prediction - sample.target)))[0] ==
        doctest::Approx(0.3125).epsilon(exactly));
  // improved MeanFlow: u + (t − r) du/dt along the map's own velocity is v, whatever the sample's velocity is
  auto const improved =
      sides(EulerianIdentity{.own_direction = true}, X, one(0.02), one(-1.3), one(0.6), one(0.2), one(0.2));
  CHECK(improved.prediction[0] - improved.target[0] - 1.3 == doctest::Approx(-0.425).epsilon(exactly));
}

TEST_CASE("alphaFlow's target goes from the velocity to the average velocity, in second order of alpha") {
  for (auto const& [alpha, known] : {Two{1, 0.7},
                                     {0.5, 0.2527864045000421},
                                     {0.25, 0.2068030380839280},
                                     {0.1, 0.2007698233972938},
                                     {0.01, 0.2000063767783243},
                                     {0.001, 0.200000062625176},
                                     {0.0, 0.2}}) {
    auto const y = sides(BlendedIdentity<>{{alpha}}, X, one(1), one(0.7), one(1), one(0), one(0)).target;
    CHECK(y[0] == doctest::Approx(known).epsilon(exactly));
  }
  // SoFlow: the difference quotient of f along the first tenth of the span
  auto const both = sides(BlendedIdentity<>{.alpha = {0.1}, .quotient = true}, X, one(0.02), one(-1.3),
                          one(0.6), one(0.2), one(0.2));
  CHECK(both.target[0] - both.prediction[0] == doctest::Approx(-0.652825733595619).epsilon(exactly));
}

TEST_CASE("a shortcut of length d is the average velocity backwards, two halves are one whole") {
  for (auto const& [at, tau, d, known] : {Four{1, 0, 1, -0.2},
                                          {1, 0, 0.5, -0.581966011250105},
                                          {1, 0.5, 0.5, 0.1205262246998569},
                                          {0.2, 0.25, 0.125, 0.1581879086112121},
                                          {-1, 0.5, 0.25, 1.191361435782667},
                                          {1, 0, 0.0078125, -0.699015751845451}}) {
    CHECK(-average_velocity(one(at), one(1 - tau), one(1 - tau - d))[0] ==
          doctest::Approx(known).epsilon(exactly));
  }
}

TEST_CASE("TrigFlow: output, velocity and derivative of the exact consistency function, whose tangent is 0") {
  struct Row {
    double s, x, t, f, F, v, dF;
  };
  auto const rows = std::array{
      Row{.5, .5, 1.5645464081731977, .7981250366200209, -1.5900312496948301, -.2999941407966558,
          -.9938122314493655},
      Row{.5, .5, 1.1, .6639211635723268, -.9809683412610171, -.2673622080184306, -.772876074904219},
      Row{.5, -.4, .7, -.3294526561853466, .0730056989660852, -.1932653061713073, .2544192678331232},
      Row{.2, .5, 1.1, .4600552017184226, -.5234632285567175, -.1179659657157686, -.8536557405052665},
      Row{.2, -.4, .7, -.0530441276846611, -.785115814852897, -.7054878590044921, .056952941922341},
      Row{.2, .9, .2, .851526034633231, .307383986261916, .4535197856338087, 1.1581938728437866},
      Row{.2, 0, .0039999786668715, 1.499887509381903e-05, -.0074994975421699, -.0074993100687531,
          -1.874780648834085}};
  for (auto const& row : rows) {
    CAPTURE(row.t);
    ConsistencyFunction const f{TrigonometricOutput{row.s}, Trigonometric{.epsilon = 0}};
    auto const none = Condition<T>{};
    auto const at = one(row.x), when = one(row.t), velocity = one(row.v), zero = one(0);
    CHECK(T(f(theta, at, when))[0] == doctest::Approx(row.f).epsilon(exactly));
    auto const F = f.given(none).output(theta, Dual<T>{at, velocity}, Dual<T>{when, one(1)}, zero);
    CHECK(F.primal[0] == doctest::Approx(row.F).epsilon(1e-9));  // of a quotient by sin t
    CHECK(F.tangent[0] == doctest::Approx(row.dF).epsilon(1e-8));
    CHECK(Exact<GaussianData, Trigonometric>{GaussianData{{.m = .3, .s = row.s}}, Trigonometric{}}.velocity(
              row.x, row.t) == doctest::Approx(row.v).epsilon(exactly));
    auto const [own, y] = sides(EulerianIdentity{}, f, at, velocity, when, zero, zero);
    CHECK(std::abs(y[0] - own[0]) < 1e-9);
    // g = cos t df/dt, all of it at once, and its part that warm-up does not hold back
    auto const other = one(row.v + 0.1);
    auto const start = sides(EulerianIdentity{.warm_up = 10}, f, at, other, when, zero, zero, 0);
    auto const cosine = std::cos(row.t);
    CHECK(start.target[0] - start.prediction[0] ==
          doctest::Approx(-cosine * cosine * (0.5 * row.F - row.v - 0.1)).epsilon(1e-9));
  }
}

// X_{t→r} of noise levels as a point of the straight line from x to what CTM's network takes for the data.
TEST_CASE("CTM's parameterization holds the flow map of noise levels") {
  auto const exploding = Exact<GaussianData, VarianceExploding>{bell, VarianceExploding{}};
  auto const p = CtmPreconditioning{};
  for (auto const& [at, from, to] : {Three{80, 80, 0.002}, {10, 10, 1}, {2, 2.5, 0.821}, {-0.4, 0.5, 0.1}}) {
    auto const when = one(from), end = one(to);
    auto const known = exploding.transported(at, from, to);
    auto const data = (known - to / from * at) / (1 - to / from);
    T const F = (data - p.c_skip(when, 0.0) * one(at)) / p.c_out(when, 0.0);
    T const point = p.c_skip(when, end) * one(at) + p.c_out(when, end) * F;
    CHECK(point[0] == doctest::Approx(known).epsilon(exactly));
  }
}

TEST_CASE("at the exact map CTM's two sides differ by the local error of its solver") {
  auto const velocity = TeacherVelocity{Exact{bell, LinearPath{}}, 0};
  auto const method = ConsistencyTrajectoryModel{.f = X, .velocity = velocity, .target = {}, .denoising = 0};
  auto const gap = [&](double h) {  // RMS of the difference
    T const to = t - h * t, middle = 0.5 * to;
    auto const drawn = flow_map::Drawn<T>{{{t, to, middle, T(t.shape(), 0.0)}, x, {}}, 0};
    return std::sqrt(magnitude(T(method.distance(theta, theta, Batch<T>{v}, drawn))));
  };
  CHECK(std::abs(slope(gap(0.02), gap(0.01)) - (Heun::order + 1)) < 0.1);
}
