// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// t by a distribution and r = ε: the times of a consistency function.
template <TimeDistribution Distribution = LogNormalDistribution>
struct TimesToEnd {
  Distribution distribution{-1, 1.4};

  void check() const { check_settings(distribution); }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto const epsilon = process.range().smallest;
    return {distribution.time(process, key, at), epsilon, epsilon};
  }
};
static_assert(TimeSpans<TimesToEnd<>>);

}  // namespace consistency
