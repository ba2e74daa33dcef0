// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/curriculum.hpp>

namespace consistency {

/// From `first` to `last` intervals in K steps, by equal factors (Heek et al. 2024, Section 3.1): N(k) is one
/// more.
struct GeometricSteps {
  Index first = 64;
  Index last = 1280;
  Index K = 100000;

  void check() const {
    require_setting(first >= 1, "GeometricSteps", "first", static_cast<double>(first), "1 or more");
    require_setting(last >= first && last <= most_intervals, "GeometricSteps", "last",
                    static_cast<double>(last), "first or more, at most 2^30");
    require_setting(K >= 1, "GeometricSteps", "K", static_cast<double>(K), "1 or more");
  }
  Index most() const { return last + 1; }  ///< the largest N(k)
  Index points(Index k) const {
    auto const done = std::min(1.0, static_cast<double>(k) / static_cast<double>(K));
    auto const a = static_cast<double>(first), b = static_cast<double>(last);
    return static_cast<Index>(std::lround(a * std::pow(b / a, done))) + 1;
  }
};
static_assert(Curriculum<GeometricSteps>);

}  // namespace consistency
