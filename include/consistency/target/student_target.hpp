// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/target/target.hpp>

namespace consistency {

/// θ⁻ = θ, and the gradient flows through both (Song et al. 2023, Theorems 3 and 4): for continuous-time
/// distillation.
struct StudentTarget {
  static constexpr bool has_target = false;
  double rate(double) const { return 0; }
};

}  // namespace consistency
