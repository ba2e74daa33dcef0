// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/random.hpp>

namespace consistency {

/// How a network is evaluated: without dropout (the default), or in training with the masks of (key, first).
/// Student and target get the same mode, hence the same masks.
struct Mode {
  bool training = false;
  Key key{};
  Counter first{};
  bool recorded = false;  ///< the work is sent again for later steps with this mode: dropout fails
};

}  // namespace consistency
