// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/random.hpp>
#include <consistency/process/variance_exploding.hpp>

namespace consistency {

/// The times of a flow map's training sample: from t to r ≤ t, by way of q between them. r = t is on the
/// diagonal, where a flow map's velocity is trained.
struct TimeSpan {
  double t, q, r;
};

/// Draws the times of training step k on a noise process. Models: PairTimes,
/// DyadicTimes, GapFirstTimes, GridSpans, SegmentTimes, TimesToEnd.
/// docs/concepts/flow_map.md
template <class T>
concept TimeSpans = requires(T const& times, VarianceExploding process, Index k, Key key, Counter at) {
  { times.draw(process, k, key, at) } -> std::same_as<TimeSpan>;
};

}  // namespace consistency
