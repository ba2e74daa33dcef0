// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <utility>

#include <consistency/condition/condition.hpp>
#include <consistency/core/check.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

namespace detail {

template <class F>
struct KindOf {};
template <class F>
  requires requires { F::kind; }
struct KindOf<F> {
  static constexpr Kind kind = F::kind;
};

}  // namespace detail

/// f with every number of what it gives moved into [smallest, largest], as the programs of Song et al. 2023
/// do at each evaluation (clip_denoised). Of any f(x, t), ConsistencyFunction, Denoiser or Guided; for
/// sampling: gradients outside the range are 0.
template <class F>
class Clipped : public detail::KindOf<F> {
 public:
  /// Throws config_error unless smallest < largest, both finite.
  explicit Clipped(F function, double smallest = -1, double largest = 1)
      : f_{std::move(function)}, smallest_{smallest}, largest_{largest} {
    if (!(smallest < largest && std::isfinite(smallest) && std::isfinite(largest)))
      fail<config_error>("Clipped", "smallest and largest",
                         number_text(smallest) + " and " + number_text(largest),
                         "finite numbers, smallest < largest");
  }

  auto const& network() const noexcept
    requires requires(F const& f) { f.network(); }
  {
    return f_.network();
  }
  auto process() const
    requires requires(F const& f) { f.process(); }
  {
    return f_.process();
  }

  auto operator()(auto const&... arguments) const { return clipped(f_(arguments...)); }
  /// It refers to f and the condition.
  template <class X>
  auto given(Condition<X> const& condition) const&
    requires requires(F const& f) { f.given(condition); }
  {
    return [this, bound = f_.given(condition)](auto const&... arguments) {
      return clipped(bound(arguments...));
    };
  }
  template <class X>
  void given(Condition<X> const&) const&& = delete;  // it would outlive f

 private:
  auto clipped(auto const& y) const { return evaluated(-maximum(-maximum(y, smallest_), -largest_)); }

  F f_;
  double smallest_, largest_;
};

}  // namespace consistency
