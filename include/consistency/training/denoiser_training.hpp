// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include <consistency/metric/l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/edm_weighting.hpp>

namespace consistency {

/// Trains a denoiser, the teacher of distillation: minimises λ(σ) · d(D_θ(x + σ z, σ), x) with ln σ normal
/// (Karras et al. 2022, Section 5, Eq. 108).
template <class F, class Distribution = LogNormalDistribution, class D = L2, class W = EdmWeighting>
struct DenoiserTraining {
  static_assert(TimeDistribution<Distribution>,
                "DenoiserTraining: the distribution of the noise levels must be a TimeDistribution");
  static_assert(Metric<D>,
                "DenoiserTraining: the metric must be a Metric: d(x, y) gives one distance per sample");

  static_assert(
      requires(W const& w, Tensor<float> const& t) { w(t); },
      "DenoiserTraining: the weighting must take one time, w(t)");
  static_assert(!keeps_boundary<F>,
                "DenoiserTraining: what it trains must be a denoiser: ConsistencyFunction with "
                "EdmPreconditioning, not with EdmParameterization");

  static constexpr bool has_target = false;
  F f;  ///< a denoiser: ConsistencyFunction with EdmPreconditioning
  Distribution distribution;
  D metric;
  W weighting;
  KarrasGrid grid;  ///< its ends bound the noise levels

  explicit DenoiserTraining(F denoiser, Distribution noise = karras_distribution(), D distance = {},
                            W weight = {}, KarrasGrid bounds = {})
      : f{std::move(denoiser)},
        distribution{std::move(noise)},
        metric{std::move(distance)},
        weighting{std::move(weight)},
        grid{bounds} {}

  /// ln σ ~ N(−1.2, 1.2²) (Karras et al. 2022, Table 1).
  static constexpr LogNormalDistribution karras_distribution() { return {.mean = -1.2, .deviation = 1.2}; }

  void check() const {
    grid.check();
    check_settings(distribution);
    check_settings(metric);
    check_settings(weighting);
    if constexpr (requires { weighting.sigma_data - f.parameterization().sigma_data; })
      require_setting(weighting.sigma_data == f.parameterization().sigma_data, "DenoiserTraining",
                      "sigma_data of the weighting", weighting.sigma_data, "that of the denoiser");
  }
  /// Noise levels that the denoiser learns: what TeacherVelocity takes as `trained`.
  TimeRange range() const { return grid.range(); }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }

  template <class X>
  Draws<X, 1> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<1>(x0, k, key, first, [&](Key sample_key, Counter sample) {
      return std::array{distribution.time(grid, sample_key, sample)};
    });
  }
  template <class X>
  auto loss(auto const& theta, Parameters<X> const&, X const& x0, Draws<X, 1> const& drawn) const {
    auto const& t = drawn.times[0];                                    // (n, 1, …)
    auto const D_x = f(theta, noised(x0, drawn.z, t), t, drawn.mode);  // (n, …)
    return mean(weighting(t) * metric(D_x, x0));                       // ()
  }
};

}  // namespace consistency
