// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/target/target.hpp>

namespace consistency {

/// A fixed μ.
struct EmaTarget {
  static constexpr bool has_target = true;
  double mu = 0.95;
  void check() const { require_rate("EmaTarget", "mu", mu); }
  double rate(double) const {
    check();
    return mu;
  }
};

}  // namespace consistency
