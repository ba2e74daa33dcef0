// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/metric/l2.hpp>
#include <consistency/training/population_objective.hpp>

namespace consistency {

/// Drifting (Deng et al. 2026): f(z, T) of noise z, one step, follows the drift field between the samples
/// that it makes and the data, in any features of both. No path is learned: f serves OneStep alone. The loss
/// is the mean square of the field, which its scales keep near constant: judge by samples.
template <class F, class Features = IdentityFeatures, class D = L2>
struct Drifting {
  static_assert(may_be<F, Kind::consistency_function>,
                "Drifting: what it trains must be a ConsistencyFunction; a Denoiser is none");
  static_assert(Metric<D>, "Drifting: the metric must be a Metric: d(x, y) gives one distance per sample");
  static constexpr bool has_target = false;
  F f;
  Features features{};  ///< a FeatureNetwork
  D metric{};
  DriftSettings drift{};
  Index group = 64;  ///< samples of a population; batches are whole groups, each of one condition

  void check() const {
    require_within("Drifting", "group", group, 2, Index{1} << 16U);
    check_settings(metric);
    check_settings(drift);
  }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }
  template <class X>
  auto draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return population::draw(*this, "Drifting", x0, k, key, first);
  }
  /// The term of each sample, (n, 1).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const&, std::type_identity_t<Batch<X>> const& batch,
                Draws<X, 1> const& drawn) const {
    return population::drift_distance(*this, theta, batch, drawn);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
