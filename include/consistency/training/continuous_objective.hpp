// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/metric/curvature.hpp>
#include <consistency/network/network.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/schedule/time_distribution.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/target/student_target.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/weighting.hpp>

/// The discrete methods in the limit N → ∞ (Song et al. 2023, Appendix B, Theorems 3 to 6). With
/// J = ∂f/∂t + ∂f/∂x · v(x_t, t), how f changes along the ODE (one JVP sweep), and t = τ(u):
///   θ⁻ = stopgrad(θ)  (Theorems 5, 6)  the gradient of E[w(t) f_θᵀ H J]; its value here is E[w(t) ½ Jᵀ H J]
///   θ⁻ = θ            (Theorem 3)      E[w(t) ½ Jᵀ H J], for a metric with curvature H
///   θ⁻ = θ            (Theorem 4)      E[w(t) ‖J‖], for a norm
/// w = 1 is λ(t) = (τ⁻¹)′(t), the paper's choice (Theorem 3: its square); GridSpeedWeighting gives λ = 1.
namespace consistency::continuous {

template <class Target>
inline constexpr bool through_target = std::same_as<std::remove_cvref_t<Target>, StudentTarget>;
template <class D>
inline constexpr bool smooth = requires { requires std::remove_cvref_t<D>::twice_differentiable; };
template <class D>
inline constexpr bool norm = requires { requires std::remove_cvref_t<D>::norm; };

/// The term of each sample, for given noise and times.
template <class M, class X>
auto distance(M const& m, auto const& theta, Parameters<X> const& theta_minus,
              std::type_identity_t<Batch<X>> const& batch, X const& z, X const& t, Mode const& mode = {}) {
  using V = std::remove_cvref_t<decltype(theta[0])>;
  auto const& f = with_condition(m.f, batch.condition);
  auto const process = process_of(m.f);
  X const x_t = process.point(batch.x0, z, t);           // (n, …)
  X const v = m.velocity.given(process, batch)(x_t, t);  // (n, …)
  X const w = weight_at(m.weighting, process, t);        // (n, 1, …)
  X const one{t.shape(), typename X::Scalar(1)};         // (n, 1, …)
  if constexpr (through_target<decltype(m.target)>) {
    auto const y = f(theta, Dual<V>{V(x_t), V(v)}, Dual<V>{V(t), V(one)}, mode);  // (n, …)
    auto const& J = y.tangent;                                                    // (n, …)
    if constexpr (smooth<decltype(m.metric)>) {
      return evaluated(0.5 * w * curvature<V>(m.metric, y.primal, J, J));  // (n, 1, …)
    } else {
      return evaluated(w * m.metric(J, V(X(J.shape(), typename X::Scalar(0)))));  // (n, 1, …)
    }
  } else {
    auto const y = f(theta_minus, Dual<X>{x_t, v}, Dual<X>{t, one}, mode);  // (n, …)
    auto const& J = y.tangent;                                              // (n, …)
    V const a = f(theta, x_t, t, mode) + (0.5 * J - y.primal);  // (n, …): in value J / 2, as θ⁻ is θ
    return evaluated(w * curvature<V>(m.metric, V(y.primal), a, V(J)));  // (n, 1, …)
  }
}

void check(auto const& method) {
  grid_of(process_of(method.f)).check();
  check_settings(method.metric);
  check_settings(method.distribution);
  check_settings(method.weighting);
  if constexpr (requires { method.velocity.check_student(method.f); })
    method.velocity.check_student(method.f);
}

/// Always true, or a sentence that names the policy which is none.
template <class F, class Source, class D, class Distribution, class W, class Target>
consteval bool policies() {
  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(TimeDistribution<Distribution>,
                "the distribution of the times must be a TimeDistribution: time(process, key, at)");
  static_assert(VelocitySource<Source>,
                "the velocity must be a VelocitySource: given(process, batch) is v(x, t)");
  static_assert(through_target<Target> || std::same_as<Target, StopGradientTarget>,
                "continuous-time methods have θ⁻ = stopgrad(θ) or θ⁻ = θ: the target must be "
                "StopGradientTarget or StudentTarget, without a rate");
  static_assert(!through_target<Target> || !std::same_as<Source, DataVelocity>,
                "StudentTarget needs a teacher (Theorems 3 and 4): without one the gradient through the "
                "target is wrong; use StopGradientTarget");
  static_assert(smooth<D> || through_target<Target> || !norm<D>,
                "Theorems 5 and 6 need a metric with second derivatives (L2, PseudoHuber, Lpips), and a norm "
                "such as L1 or LInf has none; Theorem 4 takes a norm: ContinuousConsistencyDistillation with "
                "StudentTarget");
  static_assert(smooth<D> || norm<D>,
                "a continuous-time method must know the metric: declare `static constexpr bool "
                "twice_differentiable = true;` in it, or `norm = true` for a norm ‖x − y‖");
  static_assert(Weighting<W, 1>,
                "the weighting must take one time, w(t): a continuous-time method draws no second one");
  static_assert(may_be<F, Kind::consistency_function>,
                "the student must be a ConsistencyFunction, f(x, epsilon) = x; a Denoiser is none");
  static_assert(
      !requires(F const& f) { f.network(); } ||
          requires(F const& f) {
            requires DifferentiableNetwork<std::remove_cvref_t<decltype(f.network())>>;
          },
      "a continuous-time method needs the network's derivative along x and t: make its call operator a "
      "template over the value types of x and time, so that Dual values pass through it");
  return true;
}

}  // namespace consistency::continuous
