#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include <consistency/schedule/progressive_times.hpp>

using namespace consistency;

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

TEST_CASE("each triple is a step of the student's grid with its middle") {
  auto const times = ProgressiveTimes{.start = 8, .stage_steps = 10};
  for (Index const k : {0, 10, 20, 30}) {
    auto const N = times.steps(k);
    std::set<double> starts;
    for (std::uint32_t i = 0; i < 400; ++i) {
      auto const [t, u, s] = times.draw(k, Key{1}, {0, i});
      auto const j = (1 - times.grid.to_unit(t)) * static_cast<double>(N);
      CHECK(j == doctest::Approx(std::round(j)).epsilon(1e-9));
      CHECK((1 - times.grid.to_unit(u)) * static_cast<double>(N) == doctest::Approx(j + 0.5));
      CHECK((1 - times.grid.to_unit(s)) * static_cast<double>(N) == doctest::Approx(j + 1));
      starts.insert(t);
    }
    CHECK(static_cast<Index>(starts.size()) == N);
    CHECK(*starts.rbegin() == 80.0);
  }
  auto const [t, u, s] = times.draw(30, Key{1}, {});
  CHECK(t == 80.0);
  CHECK(s == 0.002);
}
