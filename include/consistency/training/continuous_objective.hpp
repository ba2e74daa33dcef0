// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <utility>

#include <consistency/metric/curvature.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/schedule/time_distribution.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/target/student_target.hpp>
#include <consistency/training/boundary.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>

namespace consistency {

/// The discrete methods in the limit N → ∞ (Song et al. 2023, Appendix B, Theorems 3 to 6). With
/// J = ∂f/∂t + ∂f/∂x · v(x_t, t), how f changes along the ODE (one JVP sweep), and t = τ(u):
///   θ⁻ = stopgrad(θ)  (Theorems 5, 6)  the gradient of E[w(t) f_θᵀ H J]; its value here is E[w(t) ½ Jᵀ H J]
///   θ⁻ = θ            (Theorem 3)      E[w(t) ½ Jᵀ H J], for a metric with curvature H
///   θ⁻ = θ            (Theorem 4)      E[w(t) ‖J‖], for a norm
/// w = 1 is λ(t) = (τ⁻¹)′(t), the paper's choice (Theorem 3: its square); GridSpeedWeighting gives λ = 1.
template <class F, class D, class Distribution, class W, class Target, class Source>
struct ContinuousObjective {
  static constexpr bool through_target = std::same_as<Target, StudentTarget>;
  static constexpr bool smooth = requires { requires D::twice_differentiable; };
  static constexpr bool norm = requires { requires D::norm; };

  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(TimeDistribution<Distribution>,
                "the distribution of the times must be a TimeDistribution: time(grid, key, at)");
  static_assert(VelocitySource<Source>, "the velocity must be a VelocitySource: given(x0) is v(x, t)");
  static_assert(through_target || std::same_as<Target, StopGradientTarget>,
                "continuous-time methods have θ⁻ = stopgrad(θ) or θ⁻ = θ: the target must be "
                "StopGradientTarget or StudentTarget, without a rate");
  static_assert(!through_target || !std::same_as<Source, DataVelocity>,
                "StudentTarget needs a teacher (Theorems 3 and 4): without one the gradient through the "
                "target is wrong; use StopGradientTarget");
  static_assert(smooth || through_target || !norm,
                "Theorems 5 and 6 need a metric with second derivatives (L2, PseudoHuber, Lpips), and a norm "
                "such as L1 or LInf has none; Theorem 4 takes a norm: ContinuousConsistencyDistillation with "
                "StudentTarget");
  static_assert(smooth || norm,
                "a continuous-time method must know the metric: declare `static constexpr bool "
                "twice_differentiable = true;` in it, or `norm = true` for a norm ‖x − y‖");
  static_assert(
      requires(W const& w, Tensor<float> const& t) { w(t); },
      "the weighting must take one time, w(t): a continuous-time method draws no second one");
  static_assert(may_keep_boundary<F>,
                "the student must be a consistency function, f(x, epsilon) = x: ConsistencyFunction with "
                "EdmParameterization; with EdmPreconditioning it is a denoiser");
  static_assert(
      requires(F const& f, Parameters<Tensor<float>> const& theta, Dual<Tensor<float>> const& x) {
        f.network()(theta, x, x, Mode{});
      },
      "a continuous-time method needs the network's derivative along x and t: make its call operator a "
      "template over the value types of x and time, so that Dual values pass through it");

  static constexpr bool has_target = false;
  F f;
  D metric;
  Distribution distribution;
  W weighting;
  Target target;
  Source velocity;
  KarrasGrid grid;

  void check() const {
    grid.check();
    check_settings(metric);
    check_settings(distribution);
    check_settings(weighting);
    check_boundary(f, grid.range());
    if constexpr (requires { weighting.grid == grid; })
      if (weighting.grid != grid)
        fail<config_error>("training method", "grid of the weighting", "another grid",
                           "the grid of the method's times", "Give both the same.");
    if constexpr (requires { velocity.check_student(f, grid.range()); })
      velocity.check_student(f, grid.range());
  }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }

  template <class X>
  Draws<X, 1> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<1>(x0, k, key, first, [&](Key sample_key, Counter sample) {
      return std::array{distribution.time(grid, sample_key, sample)};
    });
  }
  template <class X>
  auto loss(auto const& theta, Parameters<X> const& theta_minus, X const& x0,
            Draws<X, 1> const& drawn) const {
    return mean(distance(theta, theta_minus, x0, drawn.z, drawn.times[0], drawn.mode));  // ()
  }

  /// The term of each sample, for given noise and times.
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus, X const& x0, X const& z, X const& t,
                Mode const& mode = {}) const {
    using V = std::remove_cvref_t<decltype(theta[0])>;
    X const x_t = noised(x0, z, t);                 // (n, …)
    X const v = velocity.given(x0)(x_t, t);         // (n, …)
    X const one{t.shape(), typename X::Scalar(1)};  // (n, 1, …)
    if constexpr (through_target) {
      auto const y = f(theta, Dual<V>{V(x_t), V(v)}, Dual<V>{V(t), V(one)}, mode);  // (n, …)
      auto const& J = y.tangent;                                                    // (n, …)
      if constexpr (smooth) {
        return evaluated(0.5 * weighting(t) * curvature<V>(metric, y.primal, J, J));  // (n, 1, …)
      } else {
        return evaluated(weighting(t) * metric(J, V(X(J.shape(), typename X::Scalar(0)))));  // (n, 1, …)
      }
    } else {
      auto const y = f(theta_minus, Dual<X>{x_t, v}, Dual<X>{t, one}, mode);  // (n, …)
      auto const& J = y.tangent;                                              // (n, …)
      V const a = f(theta, x_t, t, mode) + (0.5 * J - y.primal);  // (n, …): in value J / 2, as θ⁻ is θ
      return evaluated(weighting(t) * curvature<V>(metric, V(y.primal), a, V(J)));  // (n, 1, …)
    }
  }
};

}  // namespace consistency
