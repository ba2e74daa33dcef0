// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/check.hpp>
#include <consistency/schedule/geometric_steps.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// A Karras grid in segments of equally many intervals: t and q are neighbours, and r the time at which their
/// segment ends (Heek et al. 2024, Algorithm 1). Where N(k) − 1 intervals are no multiple of the segments
/// there are a few more.
template <Curriculum C = GeometricSteps>
struct SegmentTimes {
  Index segments = 4;
  C curriculum{};

  void check(NoiseProcess auto const& process) const {
    auto const grid = grid_of(process);
    grid.check();
    check_settings(curriculum);
    require_setting(segments >= 1 && segments <= most_intervals, "SegmentTimes", "segments",
                    static_cast<double>(segments), "1 or more, at most 2^30");
    if constexpr (requires { curriculum.most(); })
      grid.require_apart("SegmentTimes", segments * in_segment(curriculum.most()) + 1);
  }
  TimeSpan draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    auto const grid = grid_of(process);
    auto const each = in_segment(curriculum.points(k)), N = segments * each;
    auto const n =
        std::min(N - 1, static_cast<Index>(uniform_block<double>(key, at, 0)[0] * static_cast<double>(N)));
    return {grid(n + 2, N + 1), grid(n + 1, N + 1), grid(n / each * each + 1, N + 1)};
  }
  double resolution(Index k) const {
    return static_cast<double>(segments * in_segment(curriculum.points(k)) + 1);
  }

 private:
  Index in_segment(Index points) const { return (points - 2 + segments) / segments; }
};
static_assert(TimeSpans<SegmentTimes<>>);

}  // namespace consistency
