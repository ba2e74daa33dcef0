// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// Trains a denoiser by its velocity: minimises w(t) · d(v_θ(x_t, t), dx_t/dt) with the velocity of data and
/// noise (Lipman et al. 2023, Eq. 9); on the linear process by default logit-normal times (Esser et al. 2024,
/// Section 3.1).
template <class F, class D = L2, class Distribution = LogNormalDistribution, class W = UniformWeighting>
struct FlowMatching {
  static_assert(may_be<F, Kind::denoiser>,
                "FlowMatching: what it trains must be a Denoiser, usually of the process LinearPath");
  static_assert(Metric<D>,
                "FlowMatching: the metric must be a Metric: d(x, y) gives one distance per sample");
  static_assert(TimeDistribution<Distribution>,
                "FlowMatching: the distribution of the times must be a TimeDistribution");
  static_assert(Weighting<W, 1>, "FlowMatching: the weighting must take one time, w(t)");
  static_assert(weights_times_of<W, process_of_t<F>>,
                "FlowMatching: the weighting belongs to another noise process: EdmWeighting and "
                "TruncatedSnrWeighting to VarianceExploding; name a .weighting");
  static constexpr bool has_target = false;
  F f;  ///< a Denoiser
  D metric{};
  Distribution distribution{0, 1};  ///< of ln σ, on the linear process the logit of t
  W weighting{};

  void check() const {
    check_settings(metric);
    check_settings(distribution);
    check_settings(weighting);
  }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }

  template <class X>
  Draws<X, 1> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_time(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const&, std::type_identity_t<Batch<X>> const& batch,
                Draws<X, 1> const& drawn) const {
    auto const& t = drawn.times[0];  // (n, 1, …)
    auto const process = process_of(f);
    X const x_t = process.point(batch.x0, drawn.z, t);                               // (n, …)
    X const v = process.data_velocity(batch.x0, drawn.z, t);                         // (n, …)
    auto const D_x = with_condition(f, batch.condition)(theta, x_t, t, drawn.mode);  // (n, …)
    auto const v_theta = process.velocity(x_t, D_x, t);                              // (n, …)
    return evaluated(weight_at(weighting, process, t) * metric(v_theta, v));         // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
