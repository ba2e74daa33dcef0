// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <numbers>

#include <doctest/doctest.h>

#include <consistency/process/conversion.hpp>
#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Data, noise and times inside the process, (64, 3) and (64, 1).
template <class Process>
struct Samples {
  Process process{};
  T x0 = 0.5 * normal<double>({64, 3}, {1});
  T z = normal<double>({64, 3}, {2});
  T t{Shape{64, 1}}, s{Shape{64, 1}};  // s < t

  Samples() {
    auto const [epsilon, end] = process.range();
    for (Index i = 0; i < 64; ++i) {
      auto const u = (static_cast<double>(i) + 0.7) / 65;
      t.mutable_data()[i] = epsilon + u * (end - epsilon);
      s.mutable_data()[i] = epsilon + 0.4 * u * (end - epsilon);
    }
  }
  T at(T const& time) const { return process.point(x0, z, time); }
};

}  // namespace

TEST_CASE_TEMPLATE("the velocity of data and noise is the derivative of the point by its time", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  Samples<Process> const a;
  constexpr auto h = 1e-5;
  T const difference = (a.at(T(a.t + h)) - a.at(T(a.t - h))) * (0.5 / h);
  CHECK(distance<double>(a.process.data_velocity(a.x0, a.z, a.t), difference) < 1e-8);
}

TEST_CASE_TEMPLATE("velocity, denoised data and score of a point are those of its data and noise", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  Samples<Process> const a;
  auto const x = a.at(a.t);
  T const v = a.process.data_velocity(a.x0, a.z, a.t);
  CHECK(distance<double>(a.process.velocity(x, a.x0, a.t), v) < 1e-11);
  CHECK(distance<double>(a.process.denoised(x, v, a.t), a.x0) < 1e-11);
  // ∇ log N(x; α x₀, β²) = −z / β, and β is the point of no data under a noise of 1.
  T const beta = a.process.point(T(a.t.shape(), 0.0), T(a.t.shape(), 1.0), a.t);
  CHECK(distance<double>(T(beta * a.process.score(x, a.x0, a.t)), T(-1.0 * a.z)) < 1e-9);
}

TEST_CASE_TEMPLATE("the exact step and a step to noisier times stay on the paths of data and noise", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  Samples<Process> const a;
  CHECK(distance<double>(a.process.step(a.at(a.t), a.x0, a.t, a.s), a.at(a.s)) < 1e-11);
  // From s to t noise is added so that the point of data alone has the deviation β(t), whatever it was at s.
  auto const [epsilon, end] = a.process.range();
  auto const s = epsilon + 0.2 * (end - epsilon), t = epsilon + 0.6 * (end - epsilon);
  auto const point = [&](double data, double noise, double time) {
    T const p = a.process.point(T(Shape{1, 1}, data), T(Shape{1, 1}, noise), T(Shape{1, 1}, time));
    return p[0];
  };
  auto const kept = [&](double from, double noise) {
    T const p = a.process.renoise(T(Shape{1, 1}, from), T(Shape{1, 1}, noise), s, t);
    return p[0];
  };
  CHECK(kept(point(1, 0, s), 0) == doctest::Approx(point(1, 0, t)).epsilon(1e-12));
  CHECK(std::hypot(kept(point(0, 1, s), 0), kept(0, 1)) == doctest::Approx(point(0, 1, t)).epsilon(1e-12));
  T const prior = a.process.prior(a.z);
  CHECK(distance<double>(prior, a.process.point(T(0.0 * a.x0), a.z, T(a.t.shape(), end))) < 1e-13);
}

TEST_CASE_TEMPLATE("noise levels and times are inverse to each other, and those of the point", Process,
                   VarianceExploding, LinearPath, Trigonometric) {
  Samples<Process> const a;
  auto const ones = T(a.t.shape(), 1.0), zeros = T(a.t.shape(), 0.0);
  T const alpha = a.process.point(ones, zeros, a.t), beta = a.process.point(zeros, ones, a.t);
  for (Index i = 0; i < 64; ++i) {
    auto const t = a.t[i];
    CHECK(a.process.scale(t) == doctest::Approx(alpha[i]).epsilon(1e-13));
    CHECK(a.process.sigma(t) == doctest::Approx(beta[i] / alpha[i]).epsilon(1e-12));
    CHECK(a.process.time(a.process.sigma(t)) == doctest::Approx(t).epsilon(1e-12));
  }
}

TEST_CASE("a point of one process converted to another is the point of the same data and noise there") {
  auto const check = [](auto const& from, auto const& to_process, double tolerance) {
    auto const x0 = normal<double>({20, 2}, {3});
    auto const z = normal<double>({20, 2}, {4});
    T t{Shape{20, 1}};
    for (Index i = 0; i < 20; ++i)
      t.mutable_data()[i] = from.time(0.002 * std::pow(80 / 0.002, static_cast<double>(i) / 19));
    auto const [there, scale] = converted(t, from, to_process);
    T const x = from.point(x0, z, t);
    CHECK(distance<double>(T(scale * x), to_process.point(x0, z, there)) < tolerance);
    auto const [back, inverse] = converted(there, to_process, from);
    CHECK(distance<double>(back, t) < tolerance * 80);
    CHECK(distance<double>(T(scale * inverse), T(t.shape(), 1.0)) < 1e-11);
  };
  auto const exploding = VarianceExploding{};
  auto const linear = LinearPath{};
  auto const trigonometric = Trigonometric{};
  check(exploding, linear, 1e-11);
  check(linear, exploding, 1e-11);
  check(trigonometric, exploding, 1e-10);
  check(exploding, trigonometric, 1e-11);
  check(linear, trigonometric, 1e-10);
}

TEST_CASE("times of a process are as the text of its settings says, and others are rejected") {
  auto const nan = std::numeric_limits<double>::quiet_NaN(),
             infinity = std::numeric_limits<double>::infinity();
  CHECK(VarianceExploding{.T = 10}.text() == "VarianceExploding{.epsilon = 0.002, .T = 10, .rho = 7}");
  CHECK(Trigonometric{}.T == doctest::Approx(1.5645464081731977).epsilon(1e-15));
  CHECK(Trigonometric{}.epsilon == doctest::Approx(0.0039999786668711).epsilon(1e-12));
  CHECK(Trigonometric{.sigma_data = 1}.T == doctest::Approx(std::atan(80.0)).epsilon(1e-15));
  VarianceExploding{}.check();
  LinearPath{.epsilon = 0}.check();
  Trigonometric{.epsilon = 0, .T = std::numbers::pi / 2}.check();
  auto const fails = [](auto const& process, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>([&] { process.check(); }, words);
  };
  for (auto const epsilon : {0.0, -0.5, nan, infinity, 1e-30})
    fails(VarianceExploding{.epsilon = epsilon}, {"VarianceExploding", "epsilon", number_text(epsilon)});
  for (auto const T : {0.002, nan, infinity, 1e30})
    fails(VarianceExploding{.T = T}, {"VarianceExploding", "T", number_text(T)});
  for (auto const rho : {0.0, -1.0, nan})
    fails(VarianceExploding{.rho = rho}, {"VarianceExploding", "rho", number_text(rho)});
  fails(LinearPath{.epsilon = -0.1}, {"LinearPath", "-0.1"});
  fails(LinearPath{.T = 1.5}, {"LinearPath", "1.5", "T <= 1"});
  fails(LinearPath{.epsilon = 0.5, .T = 0.5}, {"LinearPath", "0.5 and 0.5"});
  fails(LinearPath{.T = nan}, {"LinearPath", "nan"});
  fails(Trigonometric{.T = 1.6}, {"Trigonometric", "1.6"});
  fails(Trigonometric{.sigma_data = 0, .epsilon = 0, .T = 1}, {"Trigonometric", "sigma_data"});
}
