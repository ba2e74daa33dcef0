// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/data/checkerboard.hpp>
#include <consistency/evaluation/histogram_divergence.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Tensor<float> points(std::vector<float> const& values) {
  return Tensor<float>{Shape{static_cast<Index>(values.size()) / 2, 2}, std::span<float const>{values}};
}

}  // namespace

TEST_CASE("the divergence of counted points is what a hand computes") {
  // Four cells and the outside. Data: 3 and 1 points; samples: 1, 2 and one outside, each with a half more.
  auto const grid = HistogramGrid{.low = 0, .high = 2, .cells = 2};
  auto const data = points({0.5F, 0.5F, 0.1F, 0.2F, 0.9F, 0.9F, 1.5F, 0.5F});
  auto const samples = points({0.5F, 0.5F, 1.5F, 0.5F, 1.1F, 0.9F, 7.0F, 0.5F});
  auto const q = [](double n) { return (n + 0.5) / (4 + 2.5); };
  auto const expected = 0.75 * std::log(0.75 / q(1)) + 0.25 * std::log(0.25 / q(2));
  CHECK(std::abs(histogram_divergence(data, samples, grid) - expected) < 1e-14);
}

TEST_CASE("the divergence of a board from a square that covers it is ln 2, whatever the grid") {
  constexpr Index n = 200000;
  auto const data = CheckerboardBatches{n, Key{1}}(0);
  auto const half = CheckerboardBatches::half_side;
  Tensor<float> const even = half * (2 * uniform<float>({n, 2}, Key{2}) - 1);
  for (Index const cells : {4, 8, 16}) {
    auto const grid = HistogramGrid{.low = -half, .high = half, .cells = cells};
    auto const noise = static_cast<double>(cells * cells) / n;
    CHECK(std::abs(histogram_divergence(data, even, grid) - std::log(2.0)) < 5e-3 + noise);
    CHECK(histogram_divergence(data, CheckerboardBatches{n, Key{3}}(0), grid) < noise);
  }
}

TEST_CASE("points that are none, and grids that are none, are rejected by name") {
  auto const good = points({0, 0, 1, 1});
  auto const nan = points({0, 0, 1, std::numeric_limits<float>::quiet_NaN()});
  check_fails<ErrorCode::dataset>([&] { histogram_divergence(good, nan); }, {"sample 1", "finite"});
  check_fails<ErrorCode::dataset>([&] { histogram_divergence(points({0, 0}), good); }, {"n >= 2"});
  check_fails<ErrorCode::shape>([&] { histogram_divergence(good, Tensor<float>{Shape{2, 3}}); }, {"(n, 2)"});
  check_fails<ErrorCode::config>([&] { histogram_divergence(good, good, {.low = 1, .high = 1}); },
                                 {"HistogramGrid", "low < high"});
  check_fails<ErrorCode::config>([&] { histogram_divergence(good, good, {.cells = 0}); }, {"cells", "4096"});
}
