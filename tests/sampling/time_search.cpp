// SPDX-License-Identifier: MIT
#include <cmath>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/process/variance_exploding.hpp>
#include <consistency/sampling/time_search.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

double grid_time(Index p, Index N) { return grid_of(VarianceExploding{})(N - p, N); }

Index index_of(double time, Index N) {
  Index p = 0;
  while (std::abs(grid_time(p, N) - time) > 1e-12 * time) ++p;
  return p;
}

}  // namespace

TEST_CASE("the search finds the published time of CIFAR-10 by the published trials") {
  // FID by index of the second time, N = 18 (the authors' notebook).
  auto const fid = std::map<Index, double>{{5, 3.649},  {9, 3.319},  {10, 3.051}, {11, 2.928},
                                           {12, 3.049}, {13, 3.277}, {14, 3.460}};
  auto const found = search_times(VarianceExploding{}, 18, 1, [&](std::vector<double> const& times) {
    return fid.at(index_of(times[0], 18));
  });
  CHECK(found.times == std::vector{grid_time(11, 18)});
  CHECK(found.times[0] == doctest::Approx(0.5853481231945422).epsilon(1e-12));
  CHECK(found.score == 2.928);
  std::vector<Index> tried;
  for (auto const& trial : found.trace) {
    tried.push_back(index_of(trial.times[0], 18));
    CHECK(trial.score == fid.at(tried.back()));
  }
  CHECK(tried == std::vector<Index>{5, 11, 9, 13, 14, 10, 12});
}

TEST_CASE("times are found one after another, each below the last, and no score is asked for twice") {
  // Best at 30 alone, and then at 3 below it.
  auto const found = search_times(VarianceExploding{}, 40, 2, [&](std::vector<double> const& times) {
    auto const aim = times.size() == 1 ? 30.0 : 3.0;
    return std::abs(std::log(times.back() / aim));
  });
  REQUIRE(found.times.size() == 2);
  CHECK(found.times[0] == doctest::Approx(30).epsilon(0.15));
  CHECK(found.times[1] == doctest::Approx(3).epsilon(0.15));
  for (Index p = 1; p < 39; ++p) {
    CHECK(std::abs(std::log(grid_time(p, 40) / 30)) >= std::abs(std::log(found.times[0] / 30)));
    CHECK(std::abs(std::log(grid_time(p, 40) / 3)) >= found.score);
  }
  for (std::size_t i = 0; i < found.trace.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(found.trace[i].times != found.trace[j].times);
}

TEST_CASE("more times than lie inside a grid are refused") {
  auto const score = [](std::vector<double> const&) { return 0.0; };
  check_fails<ErrorCode::config>([&] { search_times(VarianceExploding{}, 5, 4, score); },
                                 {"search_times", "found 4,", "from 1 to 3"});
  CHECK(search_times(VarianceExploding{}, 3, 1, score).times == std::vector{grid_time(1, 3)});
}
