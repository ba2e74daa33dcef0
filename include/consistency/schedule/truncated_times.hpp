// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/log_student_distribution.hpp>
#include <consistency/schedule/time_pair.hpp>

namespace consistency {

/// t from a boundary up, and at the boundary itself for a share of samples; r by the gap of Geng et al. 2024,
/// Section 4 (Lee et al. 2024, Section 4).
template <TimeDistribution Distribution = LogStudentDistribution>
struct TruncatedTimes {
  Distribution distribution{};
  double boundary = 1;
  double share = 0.25;  ///< of samples at the boundary
  double Q = 256;       ///< of the gap: the authors' 1024 for CIFAR-10
  double kappa = 8;

  void check(NoiseProcess auto const& process) const {
    check_settings(distribution);
    auto const [epsilon, T] = process.range();
    require_setting(boundary > epsilon && boundary < T, "TruncatedTimes", "boundary", boundary,
                    "between epsilon and T of the process");
    require_setting(share >= 0 && share <= 1, "TruncatedTimes", "share", share, "from 0 to 1");
    require_setting(Q > 1 && Q <= 1 / least_gap, "TruncatedTimes", "Q", Q, "more than 1, at most 65536");
    require_setting(kappa >= 0, "TruncatedTimes", "kappa", kappa, "0 or more");
  }
  TimePair draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto above = process;
    above.epsilon = boundary;
    auto const edge = uniform_block<double>(key.with_stream(stream::spans), at, 0)[0] < share;
    auto const t = edge ? boundary : distribution.time(above, key, at);
    return {t, end_of_gap(t, kappa, Q, process.range().smallest)};
  }
  double resolution(Index) const { return Q; }
};
static_assert(TimePairs<TruncatedTimes<>>);

}  // namespace consistency
