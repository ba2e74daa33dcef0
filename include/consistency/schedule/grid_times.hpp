// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/time_pair.hpp>
#include <consistency/schedule/uniform_distribution.hpp>

namespace consistency {

/// (t_{n+1}, t_n) of a Karras grid with N(k) points, n by a time distribution (Song et al. 2023, Algorithm
/// 3).
template <Curriculum C = AdaptiveSteps, TimeDistribution Distribution = UniformDistribution>
struct GridTimes {
  C curriculum{};
  Distribution distribution{};

  void check(NoiseProcess auto const& process) const {
    auto const grid = grid_of(process);
    grid.check();
    check_settings(curriculum);
    check_settings(distribution);
    if constexpr (requires { curriculum.most(); }) grid.require_apart("GridTimes", curriculum.most());
  }
  TimePair draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    auto const grid = grid_of(process);
    auto const points = curriculum.points(k);
    auto const n = distribution.interval(process, points, key, at);
    return {grid(n + 1, points), grid(n, points)};
  }
  double resolution(Index k) const { return static_cast<double>(curriculum.points(k)); }
};

}  // namespace consistency
