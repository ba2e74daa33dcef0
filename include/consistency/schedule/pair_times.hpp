// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/core/check.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// Two independent times, the later of which is t and the other r; with probability `diagonal` r is t instead
/// (Geng et al. 2025). q is uniform between them, or the middle (Boffi et al. 2025).
template <TimeDistribution A = LogNormalDistribution, TimeDistribution B = A>
struct PairTimes {
  A first{-0.6, 1.6};
  B second{-4, 1.6};
  double diagonal = 0.25;  ///< share of samples with r = t
  bool middle = false;     ///< q = (t + r) / 2

  void check() const {
    check_settings(first);
    check_settings(second);
    require_setting(diagonal >= 0 && diagonal <= 1, "PairTimes", "diagonal", diagonal, "from 0 to 1");
  }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto t = first.time(process, key, at);
    auto r = second.time(process, key.with_stream(stream::end_times), at);
    if (t < r) std::swap(t, r);
    auto const u = uniform_block<double>(key.with_stream(stream::spans), at, 0);
    if (u[0] < diagonal) r = t;
    return {t, r + (middle ? 0.5 : u[1]) * (t - r), r};
  }
};
static_assert(TimeSpans<PairTimes<>>);

}  // namespace consistency
