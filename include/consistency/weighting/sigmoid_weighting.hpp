// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/process/linear_path.hpp>
#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// ½ σ(b − λ) (−dλ/dt) αᵃ / (α² + σ²) of the linear path, α = 1 − t, σ = t, with λ = ln(α² / σ²) its
/// logarithmic signal-to-noise ratio (Kingma & Gao 2023; Zhou, Ermon & Song 2025). It depends on t alone.
struct SigmoidWeighting {
  using Process = LinearPath;
  double a = 1;
  double b = 5;

  void check() const {
    require_setting(std::isfinite(a), "SigmoidWeighting", "a", a, "a finite number");
    require_setting(std::isfinite(b), "SigmoidWeighting", "b", b, "a finite number");
  }
  auto operator()(Operand auto const& t, Operand auto const&) const {
    auto const alpha = 1.0 - t;
    auto const share = sigmoid(b - 2.0 * log(alpha / t));                          // σ(b − λ)
    return share * exp((a - 1) * log(alpha)) / ((square(alpha) + square(t)) * t);  // −½ dλ/dt = 1 / (α t)
  }
};
static_assert(Weighting<SigmoidWeighting, 2>);

}  // namespace consistency
