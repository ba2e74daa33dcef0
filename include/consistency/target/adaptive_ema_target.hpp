// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/target/target.hpp>

namespace consistency {

/// What a rate divides by: N(k), the grid's points, as the paper has it, or N(k) − 1, its intervals, as the
/// authors' programs do.
enum class Denominator { points, intervals };

/// μ(k) = exp(s₀ ln μ₀ / N(k)) (Song et al. 2023, Appendix C).
struct AdaptiveEmaTarget {
  static constexpr bool has_target = true;
  double s0 = 2;
  double mu0 = 0.9;
  Denominator denominator = Denominator::points;

  void check() const {
    require_positive("AdaptiveEmaTarget", "s0", s0);
    require_rate("AdaptiveEmaTarget", "mu0", mu0);
  }
  double rate(double points) const {
    check();
    return std::exp(s0 * std::log(mu0) / (denominator == Denominator::points ? points : points - 1));
  }
};

}  // namespace consistency
