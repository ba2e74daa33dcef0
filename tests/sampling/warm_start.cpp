// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/sampling/sample.hpp>
#include <consistency/sampling/warm_start.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

Tensor<float> chunk() {
  Tensor<float> x{Shape{2, 4, 1}};
  for (Index i = 0; i < 8; ++i) x.mutable_data()[i] = static_cast<float>(i);
  return x;
}

}  // namespace

TEST_CASE("a chunk moves on by what was executed, and its last action stays") {
  auto const x = chunk();
  auto const holds = [](Tensor<float> const& y, std::initializer_list<float> expected) {
    CHECK(y.count() == static_cast<Index>(expected.size()));
    Index i = 0;
    for (auto const v : expected) CHECK(y[i++] == v);
  };
  holds(shifted(x, 0), {0, 1, 2, 3, 4, 5, 6, 7});
  holds(shifted(x, 1), {1, 2, 3, 3, 5, 6, 7, 7});
  holds(shifted(x, 4), {3, 3, 3, 3, 7, 7, 7, 7});
  holds(places(x, 1, 3), {1, 2, 5, 6});
  check_fails<ErrorCode::shape>([&] { places(x, 2, 5); }, {"[2, 5)", "4"});
}

TEST_CASE("a warm start is one evaluation at its time, of the chunk before under as much noise") {
  auto const process = VarianceExploding{};
  auto const z = normal<double>({2, 4, 1}, {1});
  auto previous = normal<double>({2, 4, 1}, {2});
  auto const tau = 3.0, epsilon = process.range().smallest;
  auto calls = 0;
  auto const f = [&](T const& x, T const& t) {
    ++calls;
    for (Index i = 0; i < 2; ++i) CHECK(t[i] == tau);
    return T(0.5 * x);
  };
  T const y = WarmStart<T>{.previous = previous, .executed = 2, .time = tau}(f, process, z, Key{1}, 0);
  CHECK(calls == 1);
  T const expected = 0.5 * (shifted(previous, 2) + std::sqrt(tau * tau - epsilon * epsilon) * z);
  CHECK(distance(y, expected) < 1e-12);
}

TEST_CASE("the exact consistency function keeps the distribution of what it is started from") {
  // Data N(0, s²): f(x, t) = x √((s² + ε²) / (s² + t²)).
  constexpr auto s = 0.5;
  auto const process = VarianceExploding{};
  auto const epsilon = process.range().smallest;
  auto const f = [&](T const& x, T const& t) {
    return T(x * sqrt((s * s + epsilon * epsilon) / (s * s + square(t))));
  };
  T const previous = std::sqrt(s * s + epsilon * epsilon) * normal<double>({4000, 2, 1}, {3});
  for (auto const tau : {0.1, 1.0, 80.0}) {
    T const y = sample<T>(f, process, {2, 1}, WarmStart<T>{.previous = previous, .executed = 0, .time = tau},
                          {.seed = 4, .count = 4000, .batch = 4000});
    CHECK(dot(y, y) / 8000 == doctest::Approx(s * s).epsilon(0.06));  // 4 deviations
    // What is left of the chunk before: √((s² + ε²) / (s² + τ²)) of it.
    CHECK(dot(y, previous) / dot(previous, previous) ==
          doctest::Approx(s / std::sqrt(s * s + tau * tau)).epsilon(0.06));
  }
}

TEST_CASE("a warm start needs a chunk for each sample and a time of the process") {
  auto const f = [](auto const& x, auto const&) { return x; };
  auto const run = [&](Tensor<float> const& previous, Index executed, double time) {
    sample<Tensor<float>>(f, VarianceExploding{}, {4, 1}, WarmStart<>{previous, executed, time},
                          {.count = 2});
  };
  run(chunk(), 1, 1.0);
  check_fails<ErrorCode::shape>([&] { run({}, 1, 1.0); }, {"previous", "none"});
  check_fails<ErrorCode::shape>([&] { run(places(chunk(), 0, 2), 1, 1.0); }, {"(2, 2, 1)", "(2, 4, 1)"});
  check_fails<ErrorCode::config>([&] { run(chunk(), 5, 1.0); }, {"executed", "5", "4"});
  check_fails<ErrorCode::config>([&] { run(chunk(), 1, 100.0); }, {"time", "100"});
  check_fails<ErrorCode::config>([&] { run(chunk(), 1, 0.0); }, {"time", "0"});
}
