// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/schedule/uniform_distribution.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using consistency::test::check_fails;

static_assert(TimeDistribution<UniformDistribution> && TimeDistribution<LogNormalDistribution>);

namespace {

constexpr std::uint32_t draws = 100000;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

std::vector<double> frequencies(auto const& distribution, Index points) {
  std::vector<double> counts(static_cast<std::size_t>(points - 1), 0);
  for (std::uint32_t i = 0; i < draws; ++i) {
    auto const n = distribution.interval(VarianceExploding{}, points, {17, stream::times}, {3, i});
    REQUIRE(n >= 1);
    REQUIRE(n <= points - 1);
    counts[static_cast<std::size_t>(n - 1)] += 1;
  }
  return counts;
}

/// Pearson's χ² against probabilities, cells of few expected draws pooled. Its excess over the degrees of
/// freedom in standard deviations √(2 dof): above 5 about once in a million.
double excess(std::vector<double> const& counts, std::vector<double> const& probabilities) {
  double chi = 0, cells = 0, expected = 0, found = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    expected += draws * probabilities[i];
    found += counts[i];
    if (expected < 20 && i + 1 < counts.size()) continue;
    chi += (found - expected) * (found - expected) / expected;
    cells += 1;
    expected = found = 0;
  }
  return (chi - (cells - 1)) / std::sqrt(2 * std::max(1.0, cells - 1));
}

/// The mass of the distribution in every interval of the grid, normalised.
std::vector<double> masses(LogNormalDistribution const& distribution, Index points) {
  auto const grid = grid_of(VarianceExploding{});
  auto const at = [&](Index n) {
    return normal_cdf((std::log(grid(n, points)) - distribution.mean) / distribution.deviation);
  };
  auto const total = at(points) - at(1);
  std::vector<double> p;
  for (Index n = 1; n < points; ++n) p.push_back((at(n + 1) - at(n)) / total);
  return p;
}

}  // namespace

TEST_CASE("the uniform distribution draws every interval equally often") {
  for (Index const points : {2, 3, 18, 151}) {
    CAPTURE(points);
    auto const p =
        std::vector<double>(static_cast<std::size_t>(points - 1), 1.0 / static_cast<double>(points - 1));
    CHECK(excess(frequencies(UniformDistribution{}, points), p) < 5);
  }
}

TEST_CASE("the log-normal distribution draws an interval as often as the mass that it covers") {
  for (auto const& distribution :
       {LogNormalDistribution{}, LogNormalDistribution{.mean = -0.8, .deviation = 1.6}})
    for (Index const points : {2, 11, 41, 321}) {
      CAPTURE(points);
      CHECK(excess(frequencies(distribution, points), masses(distribution, points)) < 5);
    }
}

TEST_CASE("the chi-square test of these distributions tells one from the other") {
  auto const counts = frequencies(UniformDistribution{}, 41);
  CHECK(excess(counts, masses(LogNormalDistribution{}, 41)) > 1000);
}

TEST_CASE("continuous log-normal times stay inside the grid and follow the truncated distribution") {
  auto const distribution = LogNormalDistribution{};
  auto const process = VarianceExploding{.epsilon = 0.05, .T = 2};
  std::vector<double> times;
  for (std::uint32_t i = 0; i < draws; ++i)
    times.push_back(distribution.time(process, {5, stream::times}, {0, i}));
  std::sort(times.begin(), times.end());
  CHECK(times.front() > process.epsilon);
  CHECK(times.back() < process.T);
  auto const cdf = [&](double t) {
    return normal_cdf((std::log(t) - distribution.mean) / distribution.deviation);
  };
  auto const low = cdf(process.epsilon);
  auto const high = cdf(process.T);
  double kolmogorov = 0;
  for (std::uint32_t i = 0; i < draws; ++i)
    kolmogorov = std::max(kolmogorov, std::abs((cdf(times[i]) - low) / (high - low) - (i + 0.5) / draws));
  CHECK(kolmogorov < 2.0 / std::sqrt(draws));  // exceeded with probability 7e-4
}

TEST_CASE("a draw depends on key and counter and on nothing else") {
  auto const process = VarianceExploding{};
  auto const key = Key{1, stream::times};
  auto const many = [&](auto const& distribution, Key k, std::uint32_t step) {
    std::vector<Index> n;
    for (std::uint32_t i = 0; i < 100; ++i) n.push_back(distribution.interval(process, 151, k, {step, i}));
    return n;
  };
  auto const check = [&](auto const& distribution) {
    auto const first = many(distribution, key, 7);
    CHECK(first == many(distribution, key, 7));
    CHECK(first != many(distribution, key, 8));
    CHECK(first != many(distribution, Key{2, stream::times}, 7));
    CHECK(first != many(distribution, key.with_stream(stream::noise), 7));
    for (std::uint32_t i = 100; i-- > 0;) CHECK(distribution.interval(process, 151, key, {7, i}) == first[i]);
  };
  check(UniformDistribution{});
  check(LogNormalDistribution{});
}

TEST_CASE("a distribution without mass inside the grid is rejected") {
  check_fails<ErrorCode::config>(
      [] { LogNormalDistribution{.mean = 100, .deviation = 0.1}.time(VarianceExploding{}, {}, {}); },
      {"LogNormalDistribution", "found 100, 0.1"});
}

TEST_CASE("a continuous time is uniform in its position on the grid, or log-normal, and inside the grid") {
  auto const grid = grid_of(VarianceExploding{});
  std::vector<double> positions(20, 0);
  double below = 0;
  for (std::uint32_t i = 0; i < draws; ++i) {
    auto const t = UniformDistribution{}.time(VarianceExploding{}, {17, stream::times}, {3, i});
    REQUIRE(t >= grid.epsilon);
    REQUIRE(t <= grid.T);
    positions[static_cast<std::size_t>(std::min(19.0, 20 * grid.to_unit(t)))] += 1;
    if (LogNormalDistribution{-1.2, 1.2}.time(VarianceExploding{}, {17, stream::times}, {3, i}) <
        std::exp(-1.2))
      below += 1;
  }
  CHECK(excess(positions, std::vector<double>(20, 0.05)) < 5);
  CHECK(std::abs(below / draws - 0.5) < 5 * 0.5 / std::sqrt(static_cast<double>(draws)));
}
