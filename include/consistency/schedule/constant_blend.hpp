// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/schedule/blend_schedule.hpp>

namespace consistency {

/// The same at every step.
struct ConstantBlend {
  double value = 0.5;

  void check() const {
    require_setting(value >= 0 && value <= 1, "ConstantBlend", "value", value, "from 0 to 1");
  }
  double operator()(Index) const { return value; }
};
static_assert(BlendSchedule<ConstantBlend>);

}  // namespace consistency
