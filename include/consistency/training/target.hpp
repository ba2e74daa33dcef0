#pragma once

#include <cmath>
#include <concepts>
#include <string>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// The rule for θ⁻, the parameters of the target network. `rate(points)` is μ for N(k) = points: after each
/// step θ⁻ ← μ θ⁻ + (1 − μ) θ. Models: StopGradientTarget, EmaTarget, AdaptiveEmaTarget.
/// docs/concepts/target.md
template <class T>
concept TargetNetwork = requires(T const& target, double points) {
  { T::follows } -> std::convertible_to<bool>;  // false: θ⁻ is θ itself
  { target.rate(points) } -> std::convertible_to<double>;
};

/// θ⁻ = stopgrad(θ) (Song & Dhariwal 2023, Section 3.2).
struct StopGradientTarget {
  static constexpr bool follows = false;
  double rate(double) const { return 0; }
};

namespace detail {
inline void check_rate(char const* where, double mu) {
  if (!(mu >= 0 && mu < 1))
    throw config_error{{.where = where,
                        .what = "mu",
                        .found = std::to_string(mu),
                        .expected = "[0, 1)",
                        .advice = "For mu = 0 use StopGradientTarget."}};
}
}  // namespace detail

/// A fixed μ.
struct EmaTarget {
  static constexpr bool follows = true;
  double mu = 0.95;
  void check() const { detail::check_rate("EmaTarget", mu); }
  double rate(double) const {
    check();
    return mu;
  }
};

/// μ(k) = exp(s₀ ln μ₀ / N(k)) (Song et al. 2023, Appendix C).
struct AdaptiveEmaTarget {
  static constexpr bool follows = true;
  double s0 = 2;
  double mu0 = 0.9;
  void check() const { detail::check_rate("AdaptiveEmaTarget", mu0); }
  double rate(double points) const {
    check();
    return std::exp(s0 * std::log(mu0) / points);
  }
};

}  // namespace consistency
