// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/process_of.hpp>
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
template <class F, class D = L2, class T = ProgressiveTimes, class W = TruncatedSnrWeighting>
struct ProgressiveDistillation {
  static_assert(may_be<F, Kind::denoiser>,
                "ProgressiveDistillation: what it trains must be a Denoiser; a ConsistencyFunction is none");
  static_assert(
      Metric<D>,
      "ProgressiveDistillation: the metric must be a Metric: d(x, y) gives one distance per sample");
  static_assert(
      TimeTriples<T>,
      "ProgressiveDistillation: the times must be TimeTriples: draw(process, k, key, at), steps(k), "
      "stage(k)");
  static_assert(Weighting<W, 1>, "ProgressiveDistillation: the weighting must take one time, w(t)");
  static_assert(weights_times_of<W, process_of_t<F>>,
                "ProgressiveDistillation: the weighting belongs to another noise process: EdmWeighting and "
                "TruncatedSnrWeighting to VarianceExploding; name a .weighting");
  static constexpr bool has_target = true;
  F f;  ///< a Denoiser
  D metric{};
  T times{};
  W weighting{};

  void check() const {
    check_settings(times, process_of(f));
    check_settings(metric);
    check_settings(weighting);
  }
  double resolution(Index k) const { return static_cast<double>(times.steps(k)); }
  double rate(Index k) const { return times.stage(k + 1) == times.stage(k) ? 1 : 0; }
  /// Steps done in the stage of step k.
  Index step_in_stage(Index k) const { return times.step_in_stage(k); }

  template <class X>
  Draws<X, 3> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<3>(x0, k, key, first, [&](Key sample_key, Counter sample) {
      return times.draw(process_of(f), k, sample_key, sample);
    });
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, Draws<X, 3> const& drawn) const {
    auto const& [t, u, s] = drawn.times;  // (n, 1, …)
    auto const& D_given = with_condition(f, batch.condition);
    auto const process = process_of(f);
    X const x_t = process.point(batch.x0, drawn.z, t);  // (n, …)
    auto const D_minus = [&](X const& x, X const& time) { return D_given(theta_minus, x, time); };
    auto const teacher = DenoiserVelocity{process, D_minus};
    X const x_u = Euler{}.step(teacher, x_t, t, u);  // (n, …)
    X const x_s = Euler{}.step(teacher, x_u, u, s);  // (n, …)
    X const y =
        process.denoised(x_t, (x_s - x_t) / (s - t), t);  // (n, …): one step from t with it ends at x_s
    auto const D_x = D_given(theta, x_t, t, drawn.mode);  // (n, …)
    return evaluated(weight_at(weighting, process, t) * metric(D_x, y));  // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
