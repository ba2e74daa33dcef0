// SPDX-License-Identifier: MIT
#pragma once

namespace consistency {

/// The times of a noise process, from ε to T.
struct TimeRange {
  double smallest, largest;
};

}  // namespace consistency
