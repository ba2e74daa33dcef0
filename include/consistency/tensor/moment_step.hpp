// SPDX-License-Identifier: MIT
#pragma once

#include <array>

namespace consistency {

/// The numbers of one update of the Adam family: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²,
/// θ ← θ − rate · m / (√v + epsilon), or θ − rate · m where not adaptive.
struct MomentStep {
  double beta1, beta2;
  double rate;
  double epsilon;
  bool adaptive;
};

/// What `moment_update` reads and writes: arenas X of one size.
template <class X>
struct MomentUpdate {
  /// a ← rate · a + (1 − rate) · θ, with the θ after the update. An undefined one is skipped.
  struct Average {
    X values{};
    double rate = 0;
  };

  MomentStep step;
  double gradient_scale = 1;  ///< g is this times `gradient`
  X const& gradient;
  X& first_moment;   ///< m
  X& second_moment;  ///< v
  X& theta;
  std::array<Average, 2> averages{};
};

}  // namespace consistency
