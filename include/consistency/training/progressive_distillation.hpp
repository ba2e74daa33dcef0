// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/metric/l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/schedule/progressive_times.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/truncated_snr_weighting.hpp>

namespace consistency {

/// PD (Salimans & Ho 2022, Algorithm 2; Song et al. 2023, Appendix C): one Euler step of the student is to be
/// worth two of its teacher. Both are denoisers of one network; training starts from the first teacher's
/// parameters. The teacher is θ⁻, which takes over the student's parameters at the end of each stage, where
/// the optimizer and the average of θ start anew. Sampled with OdeSampler<Euler>{.steps = N, .to_zero =
/// false}.
template <class F, class T = ProgressiveTimes, class D = L2, class W = TruncatedSnrWeighting>
struct ProgressiveDistillation {
  static_assert(
      Metric<D>,
      "ProgressiveDistillation: the metric must be a Metric: d(x, y) gives one distance per sample");

  static_assert(
      TimeTriples<T>,
      "ProgressiveDistillation: the times must be TimeTriples: draw(k, key, at), steps(k), stage(k)");
  static_assert(
      requires(W const& w, Tensor<float> const& t) { w(t); },
      "ProgressiveDistillation: the weighting must take one time, w(t)");
  static_assert(!keeps_boundary<F>,
                "ProgressiveDistillation: what it trains must be a denoiser: ConsistencyFunction with "
                "EdmPreconditioning, not with EdmParameterization");

  static constexpr bool has_target = true;
  F f;  ///< a denoiser: ConsistencyFunction with EdmPreconditioning
  T times;
  D metric;
  W weighting;

  explicit ProgressiveDistillation(F denoiser, T triples = {}, D distance = {}, W weight = {})
      : f{std::move(denoiser)},
        times{std::move(triples)},
        metric{std::move(distance)},
        weighting{std::move(weight)} {}

  void check() const {
    check_settings(times);
    check_settings(metric);
    check_settings(weighting);
  }
  double resolution(Index k) const { return static_cast<double>(times.steps(k)); }
  double rate(Index k) const { return times.stage(k + 1) == times.stage(k) ? 1 : 0; }
  /// Steps done in the stage of step k.
  Index step_in_stage(Index k) const { return times.step_in_stage(k); }

  template <class X>
  Draws<X, 3> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<3>(x0, k, key, first,
                       [&](Key sample_key, Counter sample) { return times.draw(k, sample_key, sample); });
  }
  template <class X>
  auto loss(auto const& theta, Parameters<X> const& theta_minus, X const& x0,
            Draws<X, 3> const& drawn) const {
    auto const& [t, u, s] = drawn.times;      // (n, 1, …)
    auto const x_t = noised(x0, drawn.z, t);  // (n, …)
    auto const teacher = [&](X const& x, X const& time) {
      return evaluated(flow_velocity(x, f(theta_minus, x, time), time));  // (n, …)
    };
    X const x_u = Euler{}.step(teacher, x_t, t, u);  // (n, …)
    X const x_s = Euler{}.step(teacher, x_u, u, s);  // (n, …)
    X const y = x_t - t * ((x_s - x_t) / (s - t));  // (n, …): the denoiser whose one step from t ends at x_s
    auto const D_x = f(theta, x_t, t, drawn.mode);  // (n, …)
    return mean(weighting(t) * metric(D_x, y));     // ()
  }
};

}  // namespace consistency
