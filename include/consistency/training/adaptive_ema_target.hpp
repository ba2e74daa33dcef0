#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/training/target.hpp>

namespace consistency {

/// μ(k) = exp(s₀ ln μ₀ / N(k)) (Song et al. 2023, Appendix C).
struct AdaptiveEmaTarget {
  static constexpr bool follows = true;
  double s0 = 2;
  double mu0 = 0.9;
  void check() const { require_rate("AdaptiveEmaTarget", "mu0", mu0); }
  double rate(double points) const {
    check();
    return std::exp(s0 * std::log(mu0) / points);
  }
};

}  // namespace consistency
