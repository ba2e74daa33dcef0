// SPDX-License-Identifier: MIT
// The plan of examples/programs/support/time_plan.hpp on machines that change their speed.

#include "../../examples/programs/support/time_plan.hpp"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include <consistency/schedule/gap_times.hpp>

#include "../../examples/programs/run/learning.hpp"

using namespace consistency;
using example::TimePlan;

namespace {

struct Run {
  double seconds = 0;
  Index steps = 0;
  bool fell_back = false;  ///< into a stage that it had left
};

/// A run planned for `seconds` by its first speed, where step k at time t takes cost(k, t).
Run simulated(double seconds, std::function<double(Index, double)> const& cost) {
  run::Recipe recipe;
  recipe.steps = static_cast<Index>(seconds / cost(0, 0));
  using Gaps = run::GapTraining<Mlp, Tensor<float>>;
  auto plan = TimePlan{seconds, recipe.steps};
  Run result;
  Index stage = 0;
  while (result.steps < recipe.steps) {
    auto const now = Gaps::stage(recipe, result.steps);
    result.fell_back = result.fell_back || now < stage;
    stage = now;
    result.seconds += cost(result.steps++, result.seconds);
    recipe.steps = plan.steps(result.seconds, result.steps,
                              [&](Index K) { return Gaps::stage(run::with_steps(recipe, K), result.steps); });
    CHECK(recipe.steps >= result.steps);
  }
  return result;
}

void ends_in_time(std::function<double(Index, double)> const& cost) {
  for (auto const seconds : {180.0, 1200.0}) {
    auto const run = simulated(seconds, cost);
    CAPTURE(run.seconds);
    CHECK(std::abs(run.seconds / seconds - 1) < 0.05);
    CHECK_FALSE(run.fell_back);
  }
}

}  // namespace

TEST_CASE("a run ends within 5 % of its time on a steady machine, and takes the steps that fit") {
  ends_in_time([](Index, double) { return 0.25; });
  CHECK(simulated(1000, [](Index, double) { return 0.25; }).steps == 4000);
}

TEST_CASE("a run ends in time on a machine that gets slower or faster by two in its middle") {
  for (auto const at : {0.2, 0.5, 0.8})
    for (auto const factor : {2.0, 0.5}) {
      CAPTURE(at);
      CAPTURE(factor);
      for (auto const seconds : {180.0, 1200.0}) {
        auto const run =
            simulated(seconds, [&](Index, double t) { return t < at * seconds ? 0.1 : 0.1 * factor; });
        CHECK(std::abs(run.seconds / seconds - 1) < 0.05);
        CHECK_FALSE(run.fell_back);
      }
    }
}

TEST_CASE("a run ends in time where steps vary and where it is stopped for a while") {
  ends_in_time([](Index k, double) { return 0.1 * (1 + 0.5 * std::sin(static_cast<double>(k * k))); });
  ends_in_time([](Index k, double) { return k == 300 ? 20.0 : 0.1; });
}
