// SPDX-License-Identifier: MIT
// Algorithm 4 on Gaussian data of two numbers, one of them known, where all is known in closed form.
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/editing/edit.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/tensor/cpu.hpp>

using namespace consistency;

namespace {

using T = Tensor<double>;

constexpr auto epsilon = 0.002, s = 0.5, rho = 0.8, known = 0.5;

/// The exact consistency function of N(0, s² (1 ρ; ρ 1)) is linear: its diagonal and its other number.
std::pair<double, double> exact(double t) {
  auto const along = [&](double variance) {
    return std::sqrt((variance + epsilon * epsilon) / (variance + t * t));
  };
  auto const a = along(s * s * (1 + rho)), b = along(s * s * (1 - rho));
  return {(a + b) / 2, (a - b) / 2};
}
T f(T const& x, T const& t) {
  T y{x.shape()};  // (n, 2)
  for (Index i = 0; i < x.shape()[0]; ++i) {
    auto const [diagonal, other] = exact(t[i]);
    y.mutable_data()[2 * i] = diagonal * x[2 * i] + other * x[2 * i + 1];
    y.mutable_data()[2 * i + 1] = other * x[2 * i] + diagonal * x[2 * i + 1];
  }
  return y;
}

struct Moments {
  double mean, variance;
};

/// Of the second number after Algorithm 4 with the first one known: every step keeps it normal.
Moments by_recursion(std::vector<double> const& times) {
  auto now = Moments{0, 0};
  for (std::size_t i = 0; i < times.size(); ++i) {
    auto const added = times[i] * times[i] - (i == 0 ? 0 : epsilon * epsilon);
    auto const [diagonal, other] = exact(times[i]);
    now = {other * known + diagonal * now.mean,
           other * other * added + diagonal * diagonal * (now.variance + added)};
  }
  return now;
}
Moments by_sampling(std::vector<double> const& times, Index n) {
  auto const y =
      T{{1, 2}, std::vector{known, 7.0}};  // what stands in the place of the unknown does not count
  auto const mask = T{{1, 2}, std::vector{0.0, 1.0}};
  auto const edit = Edit<T>{.y = y, .mask = mask, .times = times, .results = n};
  auto const x = sample<T>(f, VarianceExploding{}, {2}, edit, {.seed = 1, .count = n, .batch = n});
  double sum = 0, squares = 0;
  for (Index i = 0; i < n; ++i) {
    REQUIRE(x[2 * i] == known);
    sum += x[2 * i + 1], squares += x[2 * i + 1] * x[2 * i + 1];
  }
  auto const mean = sum / static_cast<double>(n);
  return {mean, squares / static_cast<double>(n) - mean * mean};
}

auto const conditional = Moments{rho * known, s* s * (1 - rho * rho)};

}  // namespace

TEST_CASE("edits of Gaussian data have the moments that Algorithm 4's own recursion has") {
  constexpr Index n = 40000;
  for (Index const N : {2, 5, 18, 40}) {
    auto const times = editing_times(VarianceExploding{}, N);
    REQUIRE(static_cast<Index>(times.size()) == N - 1);
    auto const expected = by_recursion(times), found = by_sampling(times, n);
    CAPTURE(N);
    CHECK(std::abs(found.mean - expected.mean) < 5 * std::sqrt(expected.variance / static_cast<double>(n)));
    CHECK(std::abs(found.variance - expected.variance) <
          5 * expected.variance * std::sqrt(2 / static_cast<double>(n)));
  }
}

TEST_CASE("Algorithm 4 comes to the exact conditional as its times become more, and is far from it at 18") {
  auto const error = [&](Index N) {
    auto const found = by_recursion(editing_times(VarianceExploding{}, N));
    return std::pair{(found.mean - conditional.mean) / conditional.mean,
                     std::sqrt(found.variance / conditional.variance) - 1};
  };
  auto const [mean_18, spread_18] = error(18);
  CHECK(std::abs(mean_18 + 0.459) < 0.001);    // the known number is heeded by half
  CHECK(std::abs(spread_18 - 0.279) < 0.001);  // and the results differ more than they should
  auto last = error(200);
  for (Index const N : {400, 800, 1600}) {
    auto const next = error(N);
    CHECK(std::abs(std::log2(last.first / next.first) - 1) < 0.1);
    CHECK(next.second < last.second);
    last = next;
  }
  CHECK(std::abs(last.first) < 0.015);
  CHECK(last.second < 0.01);
}
