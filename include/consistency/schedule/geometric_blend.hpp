// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/blend_schedule.hpp>

namespace consistency {

/// From `first` to `last` in K steps, by equal factors (SoFlow's ρ(k)).
struct GeometricBlend {
  double first = 1;
  double last = 1.0 / 3200;
  Index K = 800000;

  void check() const {
    require_setting(first > 0 && first <= 1, "GeometricBlend", "first", first, "(0, 1]");
    require_setting(last > 0 && last <= 1, "GeometricBlend", "last", last, "(0, 1]");
    require_setting(K >= 1, "GeometricBlend", "K", static_cast<double>(K), "1 or more");
  }
  double operator()(Index k) const {
    auto const done = std::min(1.0, static_cast<double>(k) / static_cast<double>(K));
    return first * std::pow(last / first, done);
  }
};
static_assert(BlendSchedule<GeometricBlend>);

}  // namespace consistency
