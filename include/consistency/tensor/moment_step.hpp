// SPDX-License-Identifier: MIT
#pragma once

namespace consistency {

/// The numbers of one update of the Adam family: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²,
/// θ ← θ − rate · m / (√v + epsilon), or θ − rate · m where not adaptive.
struct MomentStep {
  double beta1, beta2;
  double rate;
  double epsilon;
  bool adaptive;
};

}  // namespace consistency
