// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/schedule/curriculum.hpp>

namespace consistency {

/// N(k) = N.
struct FixedSteps {
  Index N = 18;
  void check() const { require_setting(N >= 2, "FixedSteps", "N", static_cast<double>(N), "2 or more"); }
  Index most() const { return N; }  ///< the largest N(k)
  Index points(Index) const { return N; }
};

}  // namespace consistency
