// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/training/objective.hpp>

namespace consistency {

/// A discrete method of any policies, without a name and without defaults.
template <class F, class Source, class Solver, class D, class T, class W, class Target>
struct ConsistencyObjective {
  static_assert(objective::policies<F, Source, Solver, D, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity;
  Solver solver;
  D metric;
  T times;
  W weighting;
  Target target;

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
