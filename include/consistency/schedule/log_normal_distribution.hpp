// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/schedule/time_distribution.hpp>

namespace consistency {

/// ln σ ~ N(mean, deviation²), cut to [ε, T]; on a grid, the probability of an interval is the mass it covers
/// (Song & Dhariwal 2023, Section 3.5).
struct LogNormalDistribution {
  double mean = -1.1;
  double deviation = 2.0;

  Index interval(KarrasGrid const& grid, Index points, Key key, Counter at) const {
    auto const u = grid.to_unit(time(grid, key, at));
    auto const n = static_cast<Index>(u * static_cast<double>(points - 1));
    return 1 + std::clamp<Index>(n, 0, points - 2);
  }

  void check() const {
    require_setting(std::isfinite(mean), "LogNormalDistribution", "mean", mean, "a finite number");
    require_positive("LogNormalDistribution", "deviation", deviation);
  }

  /// A continuous draw of σ from (ε, T): draws outside are drawn again.
  double time(KarrasGrid const& grid, Key key, Counter at) const {
    constexpr auto apart = 1 / (1 - least_gap);  // so that t − ε is known in float too
    for (std::uint32_t block = 0; block < 1024; ++block)
      for (auto const z : normal_block<double>(key, at, block)) {
        auto const t = std::exp(mean + deviation * z);
        if (t > grid.epsilon * apart && t < grid.sigma_max) return t;
      }
    fail<config_error>(
        "LogNormalDistribution", "mean and deviation", number_text(mean) + ", " + number_text(deviation),
        "a distribution with mass inside (epsilon, sigma_max)", "The usual values are -1.1 and 2.0.");
  }
};

}  // namespace consistency
