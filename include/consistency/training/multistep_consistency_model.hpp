// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/schedule/segment_times.hpp>
#include <consistency/solver/ddim.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/weighting/edm_weighting.hpp>

namespace consistency {

/// Multistep consistency models (Heek et al. 2024, Algorithm 1), of data or of a teacher: the times are cut
/// into segments, and one DDIM step with the denoiser is to lead from any time to where its segment ends,
/// which is what a step from q leads to. Sampled with OdeSampler<Ddim>{.steps = segments, .to_zero = false}.
/// The authors correct the step inside for what the data are not known (aDDIM); here it is a solver's.
template <class F, class Source = DataVelocity, class Solver = Ddim, class D = PseudoHuber,
          class T = SegmentTimes<>, class W = EdmWeighting, class Target = StopGradientTarget>
struct MultistepConsistencyModel {
  static_assert(may_be<F, Kind::denoiser>,
                "MultistepConsistencyModel: what it trains must be a Denoiser, whose steps end where a "
                "segment does; a ConsistencyFunction goes to epsilon");
  static_assert(flow_map::policies_of_spans<Source, D, T, Target>());
  static_assert(OdeSolver<Solver>, "the solver must be an OdeSolver: order, and step(v, x, t, s) to s < t");
  static_assert(Weighting<W, 1>, "MultistepConsistencyModel: the weighting must take one time, w(t)");
  static_assert(weights_times_of<W, process_of_t<F>>,
                "MultistepConsistencyModel: the weighting belongs to another noise process: EdmWeighting to "
                "VarianceExploding; name a .weighting");
  static constexpr bool has_target = Target::has_target;
  F f;  ///< a Denoiser
  Source velocity{};
  Solver solver{};
  D metric{};
  T times{};
  W weighting{.sigma_data = 1};  ///< 1/σ² + 1, signal to noise and one
  Target target{};

  void check() const {
    flow_map::check(*this);
    auto const epsilon = process_of(f).range().smallest;
    require_setting(epsilon > 0, "MultistepConsistencyModel", "epsilon of the process", epsilon,
                    "more than 0, where a step can begin");
  }
  double resolution(Index k) const { return times.resolution(k); }
  double rate(Index k) const { return target.rate(resolution(k)); }
  template <class X>
  auto draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return flow_map::draw(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, flow_map::Drawn<X> const& drawn) const {
    auto const& D_given = with_condition(f, batch.condition);
    auto const process = process_of(f);
    auto const& [t, q, r, diagonal] = drawn.times;                                    // (n, 1, …)
    X const x_t = process.point(batch.x0, drawn.z, t);                                // (n, …)
    X const x_q = solver.step(velocity.given(process, batch), x_t, t, q);             // (n, …)
    X const x_r = process.step(x_q, D_given(theta_minus, x_q, q, drawn.mode), q, r);  // (n, …)
    X const kept = process.step(x_t, X(0.0 * x_t), t, r);                             // (n, …)
    X const share = process.step(X(0.0 * t), X(0.0 * t + 1.0), t, r);                 // (n, 1, …)
    X const y = (x_r - kept) / share;                                                 // (n, …)
    auto const D_x = D_given(theta, x_t, t, drawn.mode);                              // (n, …)
    return evaluated(weight_at(weighting, process, t) * metric(D_x, y));              // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
