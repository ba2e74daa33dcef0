// SPDX-License-Identifier: MIT
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>

using namespace consistency;

static_assert(Curriculum<AdaptiveSteps> && Curriculum<DoublingSteps> && Curriculum<FixedSteps>);

namespace {

struct Row {
  char const* name;
  AdaptiveSteps curriculum;
  std::array<Index, 9> points;  // at k = 0, 1 and these shares of K:
};
constexpr auto shares = std::array{0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0};

auto const rows = std::array{
    Row{"CIFAR-10", {.s0 = 2, .s1 = 150, .K = 800000}, {2, 3, 6, 16, 48, 76, 107, 131, 151}},
    Row{"ImageNet 64", {.s0 = 2, .s1 = 200, .K = 800000}, {2, 3, 7, 21, 64, 101, 143, 175, 201}},
    Row{"LSUN 256", {.s0 = 2, .s1 = 150, .K = 1000000}, {2, 3, 6, 16, 48, 76, 107, 131, 151}},
};

}  // namespace

TEST_CASE("the adaptive curriculum has the number of points of the paper's runs") {
  for (auto const& row : rows) {
    CAPTURE(row.name);
    CHECK(row.curriculum.points(0) == row.points[0]);
    CHECK(row.curriculum.points(1) == row.points[1]);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      CAPTURE(shares[i]);
      auto const k = static_cast<Index>(shares[i] * static_cast<double>(row.curriculum.K));
      CHECK(row.curriculum.points(k) == row.points[i + 2]);
    }
  }
}

TEST_CASE("the adaptive curriculum never falls, begins at s0 and ends at s1 + 1 for ever") {
  for (auto const& row : rows) {
    auto const& c = row.curriculum;
    Index last = 0;
    for (Index k = 0; k <= c.K; k += 100) {
      auto const points = c.points(k);
      REQUIRE(points >= last);
      REQUIRE(points >= 2);
      last = points;
    }
    CHECK(c.points(0) == c.s0);
    CHECK(c.points(c.K) == c.s1 + 1);
    CHECK(c.points(10 * c.K) == c.s1 + 1);
  }
}

TEST_CASE("the adaptive curriculum's steps grow with the square root of the training steps") {
  auto const c = AdaptiveSteps{.s0 = 2, .s1 = 1000, .K = 1000000};
  for (auto const share : {0.04, 0.16, 0.36, 0.64}) {
    auto const k = static_cast<Index>(share * static_cast<double>(c.K));
    CHECK(static_cast<double>(c.points(k)) == doctest::Approx(1001 * std::sqrt(share)).epsilon(0.01));
  }
}

TEST_CASE("the doubling curriculum has eight equal stages from 11 to 1281 points") {
  auto const c = DoublingSteps{};
  constexpr Index stage = 50000;
  constexpr auto points = std::array<Index, 8>{11, 21, 41, 81, 161, 321, 641, 1281};
  for (Index i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(c.points(i * stage) == points[static_cast<std::size_t>(i)]);
    CHECK(c.points((i + 1) * stage - 1) == points[static_cast<std::size_t>(i)]);
  }
  CHECK(c.points(c.K) == 1281);
  CHECK(c.points(1000 * c.K) == 1281);
}

TEST_CASE("the doubling curriculum stops at s1 where s1 is no power of two times s0") {
  auto const c = DoublingSteps{.s0 = 10, .s1 = 100, .K = 1000};
  constexpr Index stage = 231;  // ⌊1000 / (log₂ 10 + 1)⌋
  CHECK(c.points(0) == 11);
  CHECK(c.points(4 * stage - 1) == 81);
  CHECK(c.points(4 * stage) == 101);
  CHECK(c.points(10000) == 101);
}

TEST_CASE("the fixed curriculum is fixed") {
  auto const c = FixedSteps{.N = 40};
  CHECK(c.points(0) == 40);
  CHECK(c.points(123456789) == 40);
}
