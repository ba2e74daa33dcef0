// SPDX-License-Identifier: MIT
#pragma once

namespace consistency {

/// Noise levels that something is used at or made for.
struct TimeRange {
  double smallest, largest;
};

}  // namespace consistency
