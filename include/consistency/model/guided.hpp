// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <utility>

#include <consistency/condition/condition.hpp>
#include <consistency/core/check.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/parameterization/kind.hpp>

namespace consistency {

/// Classifier-free guidance of a ConsistencyFunction or Denoiser f: f(x, t | ∅) + w (f(x, t | c) − f(x, t |
/// ∅)) with the null condition ∅ (Ho & Salimans 2022, Eq. 6, whose w is this one less 1). w = 0 is f without
/// a condition, 1 with it; each call evaluates f twice, but once where w is 1.
template <class F>
class Guided {
 public:
  static constexpr Kind kind = F::kind;

  /// Throws config_error for a strength that is not finite, or a network that knows no null condition.
  Guided(F function, double strength) : f_{std::move(function)}, strength_{strength} {
    require_setting(std::isfinite(strength), "Guided", "strength", strength, "a finite number");
    auto const& condition = f_.network().settings().condition;
    if (condition.features == 0 || !condition.null)
      fail<config_error>(
          "Guided", "the network",
          condition.features == 0 ? "one that takes no condition" : "one without a null condition",
          "a network that is trained with and without its condition",
          "Set .condition of the network, and train with condition_dropout above 0.");
  }

  auto const& network() const noexcept { return f_.network(); }
  auto const& parameterization() const noexcept { return f_.parameterization(); }
  auto const& process() const noexcept { return f_.process(); }
  double strength() const noexcept { return strength_; }

  /// (θ, x, t, mode) ↦ the guided f_θ(x, t); of a FlowMap (θ, x, t, r, mode) too. It refers to both.
  template <class X>
  auto given(Condition<X> const& condition) const& {
    return [this, &condition, null = condition.null()](auto const& theta, Operand auto const& x_lazy,
                                                       auto const&... times_and_mode) {
      auto const& x = evaluated(x_lazy);
      auto const with = f_.given(condition)(theta, x, times_and_mode...);  // (n, …)
      if (strength_ == 1) return with;
      auto const without = f_.given(null)(theta, x, times_and_mode...);  // (n, …)
      return evaluated(without + strength_ * (with - without));          // (n, …)
    };
  }
  template <class X>
  void given(Condition<X> const&) const&& = delete;  // it would outlive f

 private:
  F f_;
  double strength_;
};

}  // namespace consistency
