// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CT, training without a teacher (Song et al. 2023, Algorithm 3): the velocity comes from the data, so the
/// step from x_t ends at the same data under the same noise at r.
template <class F, class D = PseudoHuber, class T = GridTimes<>, class W = UniformWeighting,
          class Target = StopGradientTarget>
struct ConsistencyTraining {
  static_assert(objective::policies<F, DataVelocity, Ddim, D, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  static constexpr DataVelocity velocity{};
  static constexpr DataStep<process_of_t<F>> solver{};
  F f;
  D metric{};
  T times{};
  W weighting{};
  Target target{};

  void check() const { objective::check(*this); }
  double resolution(Index k) const { return objective::resolution(*this, k); }
  double rate(Index k) const { return objective::rate(*this, k); }
  template <class X>
  Draws<X, 2> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return objective::draw(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, Draws<X, 2> const& drawn) const {
    auto const& [t, r] = drawn.times;  // (n, 1, …)
    return objective::distance(*this, theta, theta_minus, batch, drawn.z, t, r, drawn.mode);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
