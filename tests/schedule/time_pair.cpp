// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using consistency::test::check_fails;

static_assert(TimePairs<GridTimes<>> && TimePairs<GridTimes<DoublingSteps, LogNormalDistribution>> &&
              TimePairs<GapTimes>);

namespace {

constexpr auto key = Key{3, stream::times};
auto const process = VarianceExploding{};
auto const grid = grid_of(process);

/// sigmoid(−t)
double sigmoid_of_minus(double t) { return 1 / (1 + std::exp(t)); }

}  // namespace

TEST_CASE("grid times are neighbours on the grid of the step's size") {
  auto const check = [](auto const& times, Index k) {
    auto const points = times.curriculum.points(k);
    CHECK(times.resolution(k) == static_cast<double>(points));
    for (std::uint32_t i = 0; i < 1000; ++i) {
      auto const [t, r] = times.draw(process, k, key, {static_cast<std::uint32_t>(k), i});
      auto const u = grid.to_unit(t) * static_cast<double>(points - 1);
      auto const n = static_cast<Index>(std::lround(u)) + 1;
      REQUIRE(n >= 2);
      REQUIRE(t == grid(n, points));
      REQUIRE(r == grid(n - 1, points));
    }
  };
  for (Index const k : {0, 1, 1000, 400000, 800000}) {
    check(GridTimes<>{}, k);
    check(GridTimes<DoublingSteps, LogNormalDistribution>{}, k);
    check(GridTimes<FixedSteps>{.curriculum = {.N = 18}}, k);
  }
}

TEST_CASE("with two grid points every pair is the whole range") {
  auto const [t, r] = GridTimes<FixedSteps>{.curriculum = {.N = 2}}.draw(process, 0, key, {});
  CHECK(t == 80.0);
  CHECK(r == 0.002);
}

TEST_CASE("gap times are apart and never below epsilon") {
  auto const times = GapTimes{.denoising = 500};
  for (Index const k : {0, 499, 500, 1500, 5000, 9000, 100000})
    for (std::uint32_t i = 0; i < 20000; ++i) {
      auto const [t, r] = times.draw(process, k, key, {static_cast<std::uint32_t>(k), i});
      REQUIRE(r >= process.epsilon);
      REQUIRE(t > r);
      REQUIRE(t < process.T);
    }
}

TEST_CASE("stage 0 trains a denoiser: the smaller time is epsilon") {
  auto const times = GapTimes{.denoising = 10};
  for (std::uint32_t i = 0; i < 1000; ++i) {
    CHECK(times.draw(process, 0, key, {0, i}).r == process.epsilon);
    CHECK(times.draw(process, 9, key, {0, i}).r == process.epsilon);
  }
  auto larger = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    larger += times.draw(process, 10, key, {0, i}).r > process.epsilon ? 1 : 0;
  CHECK(larger > 0);
}

TEST_CASE("stages begin after denoising, last equally long, and the last goes on for ever") {
  auto const times = GapTimes{.denoising = 100, .stage_steps = 50, .stages = 4};
  CHECK(times.stage(0) == 0);
  CHECK(times.stage(99) == 0);
  CHECK(times.stage(100) == 1);
  CHECK(times.stage(149) == 1);
  CHECK(times.stage(150) == 2);
  CHECK(times.stage(249) == 3);
  CHECK(times.stage(250) == 4);
  CHECK(times.stage(1000000) == 4);
  CHECK(times.resolution(250) == 16.0);
  CHECK(GapTimes{.denoising = 0}.stage(0) == 1);
}

TEST_CASE("the smaller time is that of the formula for every stage") {
  auto const times = GapTimes{.q = 4, .kappa = 6, .stage_steps = 10, .stages = 5};
  for (Index stage = 1; stage <= 5; ++stage)
    for (std::uint32_t i = 0; i < 1000; ++i) {
      auto const [t, r] = times.draw(process, (stage - 1) * 10, key, {0, i});
      auto const ratio = 1 - std::pow(4.0, static_cast<double>(-stage)) * (1 + 6 * sigmoid_of_minus(t));
      CHECK(r == doctest::Approx(std::max(process.epsilon, t * ratio)).epsilon(1e-12));
    }
}

TEST_CASE("the mapping of times has the values worked out by hand") {
  // t = 1 from a distribution of almost no width: sigmoid(−1) = 0.26894142, so 1 + 8 · 0.26894142
  // = 3.15153137.
  auto const at_one = [](Index stage) {
    auto const times = GapTimes{.distribution = {.mean = 0, .deviation = 1e-12}, .stage_steps = 1};
    return times.draw(process, stage - 1, key, {}).r;
  };
  CHECK(at_one(1) == 0.002);  // the gap is more than t
  CHECK(at_one(2) == doctest::Approx(0.21211716).epsilon(1e-7));
  CHECK(at_one(4) == doctest::Approx(0.80302929).epsilon(1e-7));
  CHECK(at_one(8) == doctest::Approx(0.98768933).epsilon(1e-7));
}

TEST_CASE("the gap halves at every stage for q = 2") {
  auto const times = GapTimes{.stage_steps = 1, .stages = 8};
  auto compared = 0;
  for (Index k = 0; k < 7; ++k)
    for (std::uint32_t i = 0; i < 500; ++i) {
      auto const wide = times.draw(process, k, key, {0, i});
      auto const narrow = times.draw(process, k + 1, key, {0, i});
      REQUIRE(wide.t == narrow.t);
      if (wide.r == process.epsilon) continue;
      CHECK((wide.t - wide.r) == doctest::Approx(2 * (narrow.t - narrow.r)).epsilon(1e-9));
      ++compared;
    }
  CHECK(compared > 2000);
}

TEST_CASE("float knows the distance of every pair that passes the check to one percent") {
  auto const check = [](auto const& times, Index k) {
    check_settings(times, process);
    for (std::uint32_t i = 0; i < 20000; ++i) {
      auto const [t, r] = times.draw(process, k, key, {7, i});
      auto const in_float = static_cast<double>(static_cast<float>(t) - static_cast<float>(r));
      REQUIRE(in_float > 0);
      REQUIRE(std::abs(in_float / (t - r) - 1) < 0.01);
    }
  };
  constexpr auto last = Index{1} << 40U;
  check(GapTimes{}, last);
  check(GapTimes{.q = 4}, last);
  check(GapTimes{.q = 256, .stages = 2}, last);
  check(GapTimes{.q = 16, .stages = 4}, last);
  // Nearly all times in the thousandth above epsilon, where r is epsilon.
  check(GapTimes{.distribution = {.mean = std::log(0.002), .deviation = 1e-4}}, 0);
  check(GridTimes<FixedSteps>{.curriculum = {.N = 300000}}, 0);
  check(GridTimes<AdaptiveSteps, LogNormalDistribution>{.curriculum = {.s1 = 300000}}, last);
  check(GridTimes<DoublingSteps>{.curriculum = {.s1 = 300000}}, last);
}

TEST_CASE("gaps and grids that float does not resolve are rejected with q and stages, or the points") {
  for (auto const q : {8.0, 16.0, 256.0})
    check_fails<ErrorCode::config>([&] { GapTimes{.q = q}.check(); },
                                   {"GapTimes", "q^stages", number_text(q) + "^8", "65536", "fewer stages"});
  check_fails<ErrorCode::config>([] { GapTimes{.stages = Index{1} << 62U}.check(); }, {"q^stages"});
  for (auto const s1 : {Index{10000000}, Index{1} << 30U}) {
    auto const points = number_text(s1 + 1);
    auto const adaptive = GridTimes<AdaptiveSteps>{.curriculum = {.s1 = s1}};
    auto const doubling = GridTimes<DoublingSteps>{.curriculum = {.s1 = s1}};
    check_fails<ErrorCode::config>([&] { adaptive.check(process); }, {"GridTimes", "points", points});
    check_fails<ErrorCode::config>([&] { doubling.check(process); }, {"GridTimes", "points", points});
  }
  auto const largest = std::numeric_limits<Index>::max();
  check_fails<ErrorCode::config>([&] { AdaptiveSteps{.s1 = largest}.check(); }, {"s1", "2^30"});
  check_fails<ErrorCode::config>([&] { DoublingSteps{.s1 = largest}.check(); }, {"s1", "2^30"});
  auto const fixed = GridTimes<FixedSteps>{.curriculum = {.N = largest}};
  check_fails<ErrorCode::config>([&] { fixed.check(process); }, {"GridTimes", "points"});
  check_fails<ErrorCode::config>([] { GapTimes{.denoising = -1}.check(); }, {"denoising", "-1"});
  check_fails<ErrorCode::config>([] { GapTimes{.stage_steps = 0}.check(); }, {"stage_steps", "1 or more"});
}

TEST_CASE("a pair depends on step, key and counter and on nothing else") {
  auto const check = [](auto const& times) {
    auto const first = times.draw(process, 5000, key, {9, 4});
    times.draw(process, 5000, key, {9, 5});
    auto const again = times.draw(process, 5000, key, {9, 4});
    CHECK(first.t == again.t);
    CHECK(first.r == again.r);
    CHECK(first.t != times.draw(process, 5000, Key{4, stream::times}, {9, 4}).t);
  };
  check(GridTimes<AdaptiveSteps, LogNormalDistribution>{});
  check(GapTimes{});
}
