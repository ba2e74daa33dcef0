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
#include <consistency/weighting/edm_weighting.hpp>

namespace consistency {

/// Trains a denoiser, the teacher of distillation: minimises w(t) · d(D_θ(x_t, t), x₀); by default λ(σ) with
/// ln σ normal (Karras et al. 2022, Section 5, Eq. 108).
template <class F, class D = L2, class Distribution = LogNormalDistribution, class W = EdmWeighting>
struct DenoiserTraining {
  static_assert(may_be<F, Kind::denoiser>,
                "DenoiserTraining: what it trains must be a Denoiser; a ConsistencyFunction is none");
  static_assert(Metric<D>,
                "DenoiserTraining: the metric must be a Metric: d(x, y) gives one distance per sample");
  static_assert(TimeDistribution<Distribution>,
                "DenoiserTraining: the distribution of the noise levels must be a TimeDistribution");
  static_assert(Weighting<W, 1>, "DenoiserTraining: the weighting must take one time, w(t)");
  static_assert(weights_times_of<W, process_of_t<F>>,
                "DenoiserTraining: the weighting belongs to another noise process: EdmWeighting and "
                "TruncatedSnrWeighting to VarianceExploding; name a .weighting, or use FlowMatching");
  static constexpr bool has_target = false;
  F f;  ///< a Denoiser
  D metric{};
  Distribution distribution{-1.2, 1.2};  ///< of ln σ (Karras et al. 2022, Table 1)
  W weighting{};

  void check() const {
    check_settings(metric);
    check_settings(distribution);
    check_settings(weighting);
    if constexpr (requires { weighting.sigma_data - f.parameterization().sigma_data; })
      require_setting(weighting.sigma_data == f.parameterization().sigma_data, "DenoiserTraining",
                      "sigma_data of the weighting", weighting.sigma_data, "that of the denoiser");
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
    auto const D_x = with_condition(f, batch.condition)(theta, x_t, t, drawn.mode);  // (n, …)
    return evaluated(weight_at(weighting, process, t) * metric(D_x, batch.x0));      // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
