// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/target/target.hpp>

namespace consistency {

/// θ⁻ = stopgrad(θ) (Song & Dhariwal 2023, Section 3.2).
struct StopGradientTarget {
  static constexpr bool has_target = false;

  constexpr StopGradientTarget() = default;
  template <class Rate>
  constexpr explicit StopGradientTarget(Rate) {
    static_assert(!sizeof(Rate),
                  "StopGradientTarget: θ⁻ is θ itself and has no rate; EmaTarget{.mu = ...} has one");
  }

  double rate(double) const { return 0; }
};

}  // namespace consistency
