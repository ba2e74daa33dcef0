// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include <consistency/metric/metric.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/schedule/time_pair.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/student_target.hpp>
#include <consistency/training/boundary.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>

namespace consistency {

/// The loss of every discrete method: draw times t > r, build x_t = x + t z, move it along the ODE
/// to x_r, take y = f_θ⁻(x_r, r) as a constant, and minimise w(t, r) · d(f_θ(x_t, t), y) (Song et al. 2023,
/// Eqs. 7 and 10; Algorithms 2 and 3).
template <class F, class D, class T, class W, class Target, class Source, class Solver>
struct ConsistencyObjective {
  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(TimePairs<T>, "the times must be TimePairs: draw(k, key, at), resolution(k) and range()");
  static_assert(VelocitySource<Source>, "the velocity must be a VelocitySource: given(x0) is v(x, t)");
  static_assert(OdeSolver<Solver>, "the solver must be an OdeSolver: order, and step(v, x, t, s) to s < t");
  static_assert(TargetNetwork<Target>, "the target must be a TargetNetwork: has_target and rate(points)");
  static_assert(
      requires(W const& w, Tensor<float> const& t) { w(t, t); },
      "the weighting must take two times, w(t, r)");
  static_assert(may_keep_boundary<F>,
                "the student must be a consistency function, f(x, epsilon) = x: ConsistencyFunction with "
                "EdmParameterization; with EdmPreconditioning it is a denoiser");
  static_assert(!std::same_as<Target, StudentTarget>,
                "StudentTarget belongs to ContinuousConsistencyDistillation (Theorems 3 and 4); a discrete "
                "method takes StopGradientTarget, EmaTarget or AdaptiveEmaTarget");

  static constexpr bool has_target = Target::has_target;
  F f;
  D metric;
  T times;
  W weighting;
  Target target;
  Source velocity;
  Solver solver;

  void check() const {
    check_settings(metric);
    check_settings(times);
    check_settings(target);
    check_settings(weighting);
    check_boundary(f, times.range());
    if constexpr (requires { velocity.check_student(f, times.range()); })
      velocity.check_student(f, times.range());
  }
  double resolution(Index k) const { return static_cast<double>(times.resolution(k)); }
  double rate(Index k) const { return target.rate(resolution(k)); }

  template <class X>
  Draws<X, 2> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<2>(x0, k, key, first, [&](Key sample_key, Counter sample) {
      auto const pair = times.draw(k, sample_key, sample);
      using S = typename X::Scalar;
      if (!(static_cast<S>(pair.t) > static_cast<S>(pair.r)))
        fail<config_error>("training method, step " + number_text(k),
                           "times t and r of sample " + number_text(sample.sample),
                           number_text(pair.t) + " and " + number_text(pair.r),
                           "t > r in the numbers that the method trains with",
                           "Take fewer points of the grid, or larger gaps.");
      return std::array{pair.t, pair.r};
    });
  }
  template <class X>
  auto loss(auto const& theta, Parameters<X> const& theta_minus, X const& x0,
            Draws<X, 2> const& drawn) const {
    auto const& [t, r] = drawn.times;                                          // (n, 1, …)
    return mean(distance(theta, theta_minus, x0, drawn.z, t, r, drawn.mode));  // ()
  }

  /// w(t, r) · d(f_θ(x_t, t), f_θ⁻(x_r, r)) of each sample, for given noise and times.
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus, X const& x0, X const& z, X const& t,
                X const& r, Mode const& mode = {}) const {
    X const x_t = noised(x0, z, t);                                         // (n, …)
    X const x_r = solver.step(velocity.given(x0), x_t, t, r);               // (n, …)
    X const y = f(theta_minus, x_r, r, mode);                               // (n, …)
    return evaluated(weighting(t, r) * metric(f(theta, x_t, t, mode), y));  // (n, 1, …)
  }
};

}  // namespace consistency
