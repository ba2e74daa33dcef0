// SPDX-License-Identifier: MIT
#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include <consistency/schedule/progressive_times.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using consistency::test::check_fails;

namespace {
auto const process = VarianceExploding{};
}

TEST_CASE("the number of steps halves at every stage down to 1") {
  auto const times = ProgressiveTimes{.start = 4096, .stage_steps = 50000};
  CHECK(times.stages() == 13);
  CHECK(times.steps(0) == 4096);
  CHECK(times.steps(49999) == 4096);
  CHECK(times.steps(50000) == 2048);
  CHECK(times.steps(500000) == 4);
  CHECK(times.steps(550000) == 2);
  CHECK(times.steps(600000) == 1);
  CHECK(times.steps(10000000) == 1);
}

TEST_CASE("the stage of two steps can last twice as long, as in the authors' programs") {
  // Stages of the programs: 4096 at step 0, 2048 at 50,000, …, 2 at 550,000, 1 at 650,000.
  auto const times = ProgressiveTimes{.start = 4096, .two_step_stages = 2};
  for (Index stage = 0; stage <= 11; ++stage) {
    CHECK(times.steps(stage * 50000) == 4096 >> stage);
    CHECK(times.step_in_stage(stage * 50000) == 0);
    CHECK(times.step_in_stage(stage * 50000 + 49999) == 49999);
  }
  CHECK(times.steps(649999) == 2);
  CHECK(times.step_in_stage(649999) == 99999);
  CHECK(times.steps(650000) == 1);
  CHECK(times.step_in_stage(650000) == 0);
  CHECK(times.step_in_stage(800000) == 150000);
  auto const two = ProgressiveTimes{.start = 2, .stage_steps = 10, .two_step_stages = 2};
  CHECK(two.steps(19) == 2);
  CHECK(two.steps(20) == 1);
  auto const one = ProgressiveTimes{.start = 1, .stage_steps = 10, .two_step_stages = 2};
  CHECK(one.steps(0) == 1);
  CHECK(one.step_in_stage(15) == 15);
}

TEST_CASE(
    "numbers of steps whose times float does not tell apart are rejected, and stages that are endless") {
  check_fails<ErrorCode::config>([] { ProgressiveTimes{.start = Index{1} << 40U}.check(process); },
                                 {"start", "2^30"});
  check_fails<ErrorCode::config>([] { ProgressiveTimes{.start = Index{1} << 20U}.check(process); },
                                 {"ProgressiveTimes", "points of the grid", "2097153"});
  ProgressiveTimes{.start = Index{1} << 16U}.check(process);
  check_fails<ErrorCode::config>([] { ProgressiveTimes{.stage_steps = Index{1} << 60U}.check(process); },
                                 {"stage_steps", "1 to 2^32"});
  check_fails<ErrorCode::config>([] { ProgressiveTimes{.two_step_stages = 0}.check(process); },
                                 {"two_step_stages"});
}

TEST_CASE("each triple is a step of the student's grid with its middle") {
  auto const times = ProgressiveTimes{.start = 8, .stage_steps = 10};
  for (Index const k : {0, 10, 20, 30}) {
    auto const N = times.steps(k);
    std::set<double> starts;
    for (std::uint32_t i = 0; i < 400; ++i) {
      auto const [t, u, s] = times.draw(process, k, Key{1}, {0, i});
      auto const j = (1 - grid_of(process).to_unit(t)) * static_cast<double>(N);
      CHECK(j == doctest::Approx(std::round(j)).epsilon(1e-9));
      CHECK((1 - grid_of(process).to_unit(u)) * static_cast<double>(N) == doctest::Approx(j + 0.5));
      CHECK((1 - grid_of(process).to_unit(s)) * static_cast<double>(N) == doctest::Approx(j + 1));
      starts.insert(t);
    }
    CHECK(static_cast<Index>(starts.size()) == N);
    CHECK(*starts.rbegin() == 80.0);
  }
  auto const [t, u, s] = times.draw(process, 30, Key{1}, {});
  CHECK(t == 80.0);
  CHECK(s == 0.002);
}
