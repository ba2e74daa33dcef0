// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/check.hpp>

namespace consistency {

/// The rule for θ⁻, the parameters of the target network. `rate(points)` is μ for N(k) = points: after each
/// step θ⁻ ← μ θ⁻ + (1 − μ) θ. Models: StopGradientTarget, EmaTarget, AdaptiveEmaTarget, StudentTarget.
/// docs/concepts/target.md
template <class T>
concept TargetNetwork = requires(T const& target, double points) {
  { T::has_target } -> std::convertible_to<bool>;  // false: θ⁻ is θ itself
  { target.rate(points) } -> std::convertible_to<double>;
};

}  // namespace consistency
