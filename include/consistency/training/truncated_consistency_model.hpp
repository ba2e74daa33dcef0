// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <consistency/core/check.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/schedule/truncated_times.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/objective.hpp>
#include <consistency/training/training_state.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>

namespace consistency {

/// TCM, truncated consistency models (Lee et al. 2024): a second stage, CT at times from a boundary up, where
/// below it the target is the first stage's f_φ, frozen. What it trains is sampled at times above the
/// boundary.
template <class F, class P, class D = PseudoHuber, class T = TruncatedTimes<>, class W = InverseGapWeighting,
          class Target = StopGradientTarget>
struct TruncatedConsistencyModel {
  static_assert(objective::policies<F, DataVelocity, Ddim, D, T, W, Target>());
  static_assert(
      requires(T const& times) { times.boundary; },
      "TruncatedConsistencyModel: the times must have a boundary, as TruncatedTimes");
  static constexpr bool has_target = Target::has_target;
  static constexpr DataVelocity velocity{};
  static constexpr DataStep<process_of_t<F>> solver{};
  F f;
  P phi;  ///< Parameters of the first stage
  D metric{};
  T times{};
  W weighting{};
  Target target{};
  double boundary_weight = 0.1;  ///< of samples at the boundary

  void check() const {
    objective::check(*this);
    require_layout("phi of TruncatedConsistencyModel", phi, parameters_of(*this));
    require_setting(boundary_weight >= 0, "TruncatedConsistencyModel", "boundary_weight", boundary_weight,
                    "0 or more");
  }
  double resolution(Index k) const { return objective::resolution(*this, k); }
  double rate(Index k) const { return objective::rate(*this, k); }
  /// Beside t and r, 1 where r is below the boundary, else 0, and the weight for being there.
  template <class X>
  Draws<X, 4> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<4>(x0, k, key, first, [&](Key sample_key, Counter sample) {
      auto const [t, r] = objective::times_of_sample<typename X::Scalar>(*this, k, sample_key, sample);
      return std::array{t, r, r < times.boundary ? 1.0 : 0.0, t > times.boundary ? 1.0 : boundary_weight};
    });
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, Draws<X, 4> const& drawn) const {
    auto const& [t, r, below, weight] = drawn.times;  // (n, 1, …)
    auto const y = [&, &mode = drawn.mode](auto const& f_given, X const& x_r) -> X {
      X const above = f_given(theta_minus, x_r, r, mode);         // (n, …)
      return above + below * (f_given(phi, x_r, r, {}) - above);  // (n, …)
    };
    auto const d = objective::distance_to(y, *this, theta, batch, drawn.z, t, r, drawn.mode);  // (n, 1, …)
    return evaluated(weight * d);                                                              // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
