// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>

#include <consistency/core/check.hpp>
#include <consistency/process/linear_path.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// Times of the linear path of which the gap t − r is drawn first, logit-normal, and then r, logit-normal but
/// below 1 − (t − r); with probability `diagonal` t = r as the second (Zhou et al. 2025, Terminal
/// Velocity Matching).
struct GapFirstTimes {
  LogNormalDistribution gap{-0.8, 1};
  LogNormalDistribution end{-0.4, 1};
  double diagonal = 0.5;

  void check() const {
    check_settings(gap);
    check_settings(end);
    require_setting(diagonal >= 0 && diagonal <= 1, "GapFirstTimes", "diagonal", diagonal, "from 0 to 1");
  }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    static_assert(std::same_as<std::remove_cvref_t<decltype(process)>, LinearPath>,
                  "GapFirstTimes: it draws times from 0 to 1, of LinearPath");
    auto const u = uniform_block<double>(key.with_stream(stream::spans), at, 0);
    if (u[0] < diagonal) {
      auto const t = end.time(process, key, at);
      return {t, t, t};
    }
    return of(normal_block<double>(key, at, 0)[0], u[1]);
  }
  /// The times for a normal draw of the gap and a uniform one of the end.
  TimeSpan of(double normal, double uniform) const {
    auto const logistic = [](double logit) { return 1 / (1 + std::exp(-logit)); };
    auto const below = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2)); };
    auto const logit_of_gap = gap.mean + gap.deviation * normal;
    auto const most = (-logit_of_gap - end.mean) / end.deviation;  // the logit of 1 − gap, as a normal number
    auto const p = uniform * below(most);
    auto low = std::min(most, 0.0) - 40, high = most;
    for (int i = 0; i < 60; ++i) {
      auto const middle = 0.5 * (low + high);
      (below(middle) < p ? low : high) = middle;
    }
    auto const r = logistic(end.mean + end.deviation * high);
    auto const t = std::min(1.0, r + logistic(logit_of_gap));
    return {t, 0.5 * (t + r), r};
  }
};
}  // namespace consistency
