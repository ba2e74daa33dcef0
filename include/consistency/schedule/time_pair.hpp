// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/random.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// Two neighbouring times of one sample, t > r ≥ ε.
struct TimePair {
  double t, r;
};

/// Draws the times of training step k on a noise process. `resolution(k)` is N(k), or its counterpart, for
/// the progress line. Models: GridTimes, GapTimes, TruncatedTimes. docs/concepts/schedule.md
template <class T>
concept TimePairs = requires(T const& times, VarianceExploding process, Index k, Key key, Counter at) {
  { times.draw(process, k, key, at) } -> std::same_as<TimePair>;
  { times.resolution(k) } -> std::convertible_to<double>;
};

}  // namespace consistency
