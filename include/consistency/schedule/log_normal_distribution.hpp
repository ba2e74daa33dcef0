// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/schedule/time_distribution.hpp>

namespace consistency {

/// ln σ ~ N(mean, deviation²), cut to the times of the process, ln t/(1 − t) on the linear one; on a grid,
/// the probability of an interval is the mass it covers (Song & Dhariwal 2023, Section 3.5).
struct LogNormalDistribution {
  double mean = -1.1;
  double deviation = 2.0;

  Index interval(NoiseProcess auto const& process, Index points, Key key, Counter at) const {
    auto const u = grid_of(process).to_unit(time(process, key, at));
    auto const n = static_cast<Index>(u * static_cast<double>(points - 1));
    return 1 + std::clamp<Index>(n, 0, points - 2);
  }

  void check() const {
    require_setting(std::isfinite(mean), "LogNormalDistribution", "mean", mean, "a finite number");
    require_positive("LogNormalDistribution", "deviation", deviation);
  }

  /// A continuous draw from (ε, T): draws outside are drawn again.
  double time(NoiseProcess auto const& process, Key key, Counter at) const {
    auto const [epsilon, T] = process.range();
    constexpr auto apart = 1 / (1 - least_gap);  // so that t − ε is known in float too
    for (std::uint32_t block = 0; block < 1024; ++block)
      for (auto const z : normal_block<double>(key, at, block)) {
        auto const t = process.time(std::exp(mean + deviation * z));
        if (t > epsilon * apart && t < T) return t;
      }
    fail<config_error>("LogNormalDistribution", "mean and deviation",
                       number_text(mean) + ", " + number_text(deviation),
                       "a distribution with mass inside (epsilon, T)", "The usual values are -1.1 and 2.0.");
  }
};

}  // namespace consistency
