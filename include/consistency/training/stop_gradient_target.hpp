#pragma once

#include <consistency/training/target.hpp>

namespace consistency {

/// θ⁻ = stopgrad(θ) (Song & Dhariwal 2023, Section 3.2).
struct StopGradientTarget {
  static constexpr bool follows = false;
  double rate(double) const { return 0; }
};

}  // namespace consistency
