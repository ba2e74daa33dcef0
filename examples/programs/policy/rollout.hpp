// SPDX-License-Identifier: MIT
#pragma once

// Episodes of a policy, many at once.

#include <vector>

#include <consistency/sampling/warm_start.hpp>

#include "demonstrations.hpp"

namespace pushing {

struct Rollout {
  std::vector<std::vector<State>> episodes;  // states from the start on

  static bool solved(std::vector<State> const& episode) { return episode.back().solved(); }
  Index count_solved() const {
    Index count = 0;
    for (auto const& episode : episodes) count += solved(episode);
    return count;
  }
  /// Of those that were solved.
  double mean_steps() const {
    double sum = 0;
    for (auto const& episode : episodes)
      if (solved(episode)) sum += static_cast<double>(episode.size() - 1);
    return sum / static_cast<double>(std::max<Index>(1, count_solved()));
  }
};

/// Receding horizon: every `executed` steps draw(observations (n, observed), round) gives chunks of actions
/// (n, horizon, 2), of which as many are executed.
Rollout rollout(Index episodes, Key key, auto const& draw) {
  Rollout result;
  for (Index i = 0; i < episodes; ++i) {
    Chance chance{key, static_cast<std::uint32_t>(i)};
    result.episodes.push_back({start(chance)});
  }
  for (Index round = 0; round * executed < most_steps; ++round) {
    X observations{{episodes, observed}};
    auto* to = observations.mutable_data();
    auto any = false;
    for (auto const& episode : result.episodes) {
      any = any || !Rollout::solved(episode);
      auto const& now = episode.back();
      for (auto const number : observation(episode.size() > 1 ? episode[episode.size() - 2] : now, now))
        *to++ = static_cast<float>(number);
    }
    if (!any) break;
    X const chunks = draw(observations, round);
    for (Index i = 0; i < episodes; ++i) {
      auto& episode = result.episodes[static_cast<std::size_t>(i)];
      for (Index k = 0; k < executed && !Rollout::solved(episode); ++k)
        episode.push_back(moved(episode.back(), {chunks(i, k, 0), chunks(i, k, 1)}));
    }
  }
  return result;
}

}  // namespace pushing
