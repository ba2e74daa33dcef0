// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using consistency::test::check_fails;

namespace {

/// Descending, six decimals (Karras et al. 2022, Eq. 5 with the settings of Song et al. 2023).
constexpr auto grid18 =
    std::array{80.0,     57.585985, 40.785574, 28.374585, 19.352453, 12.910082, 8.400935, 5.315195, 3.256822,
               1.923340, 1.088171,  0.585348,  0.296442,  0.139516,  0.059947,  0.022935, 0.007528, 0.002};
constexpr auto grid40 =
    std::array{80.0,      69.450946, 60.117395, 51.880318, 44.630202, 38.266462, 32.696889, 27.837114,
               23.610094, 19.945628, 16.779889, 14.054981, 11.718514, 9.723201,  8.026480,  6.590144,
               5.380004,  4.365562,  3.519699,  2.818392,  2.240440,  1.767203,  1.382368,  1.071722,
               0.822941,  0.625398,  0.469979,  0.348915,  0.255630,  0.184594,  0.131197,  0.091628,
               0.062762,  0.042071,  0.027525,  0.017522,  0.010812,  0.006437,  0.003677,  0.002};

template <std::size_t N>
void check_grid(std::array<double, N> const& descending) {
  auto const grid = grid_of(VarianceExploding{});
  auto const points = static_cast<Index>(N);
  for (Index n = 1; n <= points; ++n) {
    CAPTURE(n);
    CHECK(std::abs(grid(n, points) - descending[static_cast<std::size_t>(points - n)]) <= 5.01e-7);
  }
}

}  // namespace

TEST_CASE("the grids of 18 and 40 points are those of the paper") {
  check_grid(grid18);
  check_grid(grid40);
}

TEST_CASE("times are evenly spaced in their rho-th root and rise") {
  for (auto const rho : {1.0, 3.0, 7.0}) {
    auto const grid = KarrasGrid{0.01, 5, rho};
    constexpr Index points = 33;
    auto const low = std::pow(0.01, 1 / rho);
    auto const high = std::pow(5.0, 1 / rho);
    for (Index n = 1; n <= points; ++n) {
      auto const expected = low + (high - low) * static_cast<double>(n - 1) / (points - 1);
      CHECK(std::pow(grid(n, points), 1 / rho) == doctest::Approx(expected).epsilon(1e-14));
      if (n > 1) CHECK(grid(n, points) > grid(n - 1, points));
    }
  }
}

TEST_CASE("the ends are epsilon and T to the last bit, in double and in float") {
  for (auto const epsilon : {0.002, 0.003, 1e-4, 0.1})
    for (auto const T : {80.0, 10.0, 77.7}) {
      auto const grid = KarrasGrid{epsilon, T, 7};
      for (Index const points : {2, 3, 18, 40, 151, 1281}) {
        CHECK(grid(1, points) == epsilon);
        CHECK(grid(points, points) == T);
        CHECK(static_cast<float>(grid(1, points)) == static_cast<float>(epsilon));
        CHECK(static_cast<float>(grid(points, points)) == static_cast<float>(T));
        for (Index n = 2; n < points; ++n) {
          REQUIRE(grid(n, points) > epsilon);
          REQUIRE(grid(n, points) < T);
        }
      }
    }
}

TEST_CASE("positions on the grid and times are inverse to each other") {
  auto const grid = grid_of(VarianceExploding{});
  for (int i = 0; i <= 1000; ++i) {
    auto const u = i / 1000.0;
    CHECK(grid.to_unit(grid.from_unit(u)) == doctest::Approx(u).epsilon(1e-12));
  }
  for (Index n = 1; n <= 40; ++n)
    CHECK(grid.to_unit(grid(n, 40)) == doctest::Approx(static_cast<double>(n - 1) / 39).epsilon(1e-12));
}

TEST_CASE("a grid whose powers do not tell times apart is rejected with rho") {
  grid_of(VarianceExploding{}).check();
  for (auto const rho : {1e-300, 1e-3, 1e300})
    check_fails<ErrorCode::config>([&] { KarrasGrid{0.002, 80, rho}.check(); }, {"rho", "apart"});
}

TEST_CASE("a point outside the grid and a grid of fewer than two points are rejected") {
  auto const grid = grid_of(VarianceExploding{});
  check_fails<ErrorCode::config>([&] { grid(1, 1); }, {"KarrasGrid", "n = 1", "N = 1", "N >= 2"});
  check_fails<ErrorCode::config>([&] { grid(0, 18); }, {"n = 0", "N = 18"});
  check_fails<ErrorCode::config>([&] { grid(19, 18); }, {"n = 19", "N = 18"});
}
