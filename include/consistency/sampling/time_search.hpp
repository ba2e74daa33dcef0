// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/process/process.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// One call of the score.
struct TimeTrial {
  std::vector<double> times;
  double score;
};

struct FoundTimes {
  std::vector<double> times;  ///< for Multistep
  double score;
  std::vector<TimeTrial> trace;  ///< in the order of evaluation
};

/// The times of multistep sampling by greedy ternary search on a grid of N points: each time is sought
/// between the one before and ε, with those found kept (Song et al. 2023, Section 3 and Appendix C).
/// score(times), the lower the better, must have one minimum in each time; equal scores must come from equal
/// times, so draw from one seed. Throws config_error for fewer than 1 time or more than lie inside the grid.
template <NoiseProcess Process>
FoundTimes search_times(Process const& process, Index N, Index count, auto const& score) {
  process.check();
  auto const grid = grid_of(process);
  if (count < 1 || count > N - 2)
    fail<config_error>("search_times", "count", number_text(count),
                       "from 1 to " + number_text(N - 2) + ", the times inside a grid of " + number_text(N));
  FoundTimes found{{}, 0, {}};
  Index before = 0;  // index of the last time found, counted down from T
  for (Index k = 0; k < count; ++k) {
    std::map<Index, double> scores;
    auto const at = [&](Index p) {
      if (auto const known = scores.find(p); known != scores.end()) return known->second;
      auto times = found.times;
      times.push_back(grid(N - p, N));
      auto const value = static_cast<double>(score(std::as_const(times)));
      found.trace.push_back({times, value});
      return scores[p] = value;
    };
    auto left = before, right = N - 1;
    while (right - left >= 3) {
      auto const third = static_cast<double>(right - left) / 3;
      auto const first = static_cast<Index>(static_cast<double>(left) + third);
      auto const second = static_cast<Index>(static_cast<double>(right) - third);
      if (at(first) < at(second))
        right = second;
      else
        left = first;
    }
    auto best = Index{-1};
    for (auto p = std::max(left, before + 1); p <= std::min(right, N - 2); ++p)
      if (best < 0 || at(p) < at(best)) best = p;
    found.times.push_back(grid(N - best, N));
    found.score = at(best);
    before = best;
  }
  return found;
}

}  // namespace consistency
