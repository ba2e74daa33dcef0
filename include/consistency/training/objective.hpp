// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/metric/metric.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/schedule/time_pair.hpp>
#include <consistency/solver/ddim.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/student_target.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/weighting.hpp>

/// The loss of every discrete method, any type with the members f, velocity, solver, metric, times, weighting
/// and target: draw times t > r, build x_t from data and noise, move it along the ODE to x_r, take y =
/// f_θ⁻(x_r, r) as a constant, and minimise w(t, r) · d(f_θ(x_t, t), y) (Song et al. 2023, Eqs. 7 and 10;
/// Algorithms 2 and 3).
namespace consistency::objective {

/// w(t, r) · d(f_θ(x_t, t), y(f, x_r)) of each sample, for given noise and times.
template <class M, class X>
auto distance_to(auto const& target, M const& m, auto const& theta, Batch<X> const& batch, X const& z,
                 X const& t, X const& r, Mode const& mode) {
  auto const& f = with_condition(m.f, batch.condition);
  auto const process = process_of(m.f);
  X const x_t = process.point(batch.x0, z, t);                                // (n, …)
  X const x_r = m.solver.step(m.velocity.given(process, batch), x_t, t, r);   // (n, …)
  auto const y = target(f, x_r);                                              // (n, …)
  return evaluated(m.weighting(t, r) * m.metric(f(theta, x_t, t, mode), y));  // (n, 1, …)
}
/// Of y = f_θ⁻(x_r, r).
template <class M, class X>
auto distance(M const& m, auto const& theta, Parameters<X> const& theta_minus,
              std::type_identity_t<Batch<X>> const& batch, X const& z, X const& t, X const& r,
              Mode const& mode = {}) {
  auto const target = [&](auto const& f, X const& x_r) -> X { return f(theta_minus, x_r, r, mode); };
  return distance_to(target, m, theta, batch, z, t, r, mode);
}

/// Times t > r of a sample. Throws config_error where numbers S do not tell them apart.
template <class S>
TimePair times_of_sample(auto const& method, Index k, Key key, Counter sample) {
  auto const pair = method.times.draw(process_of(method.f), k, key, sample);
  if (!(static_cast<S>(pair.t) > static_cast<S>(pair.r)))
    fail<config_error>(
        "training method, step " + number_text(k), "times t and r of sample " + number_text(sample.sample),
        number_text(pair.t) + " and " + number_text(pair.r),
        "t > r in the numbers that the method trains with", "Take fewer points of the grid, or larger gaps.");
  return pair;
}

/// Noise, and times t > r.
template <class X>
Draws<X, 2> draw(auto const& method, X const& x0, Index k, Key key, std::uint32_t first) {
  return draw_for<2>(x0, k, key, first, [&](Key sample_key, Counter sample) {
    auto const pair = times_of_sample<typename X::Scalar>(method, k, sample_key, sample);
    return std::array{pair.t, pair.r};
  });
}

void check(auto const& method) {
  check_settings(method.metric);
  check_settings(method.times, process_of(method.f));
  check_settings(method.target);
  check_settings(method.weighting);
  if constexpr (requires { method.velocity.check_student(method.f); })
    method.velocity.check_student(method.f);
}

/// N(k), and μ for it.
double resolution(auto const& method, Index k) { return static_cast<double>(method.times.resolution(k)); }
double rate(auto const& method, Index k) { return method.target.rate(resolution(method, k)); }

/// Always true, or a sentence that names the policy which is none.
template <class F, class Source, class Solver, class D, class T, class W, class Target>
consteval bool policies() {
  static_assert(may_be<F, Kind::consistency_function>,
                "the student must be a ConsistencyFunction, f(x, epsilon) = x; a Denoiser is none");
  static_assert(VelocitySource<Source>,
                "the velocity must be a VelocitySource: given(process, batch) is v(x, t)");
  static_assert(OdeSolver<Solver>, "the solver must be an OdeSolver: order, and step(v, x, t, s) to s < t");
  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(TimePairs<T>, "the times must be TimePairs: draw(process, k, key, at) and resolution(k)");
  static_assert(Weighting<W, 2>, "the weighting must take two times, w(t, r)");
  static_assert(TargetNetwork<Target>, "the target must be a TargetNetwork: has_target and rate(points)");
  static_assert(!std::same_as<Target, StudentTarget>,
                "StudentTarget belongs to ContinuousConsistencyDistillation (Theorems 3 and 4); a discrete "
                "method takes StopGradientTarget, EmaTarget or AdaptiveEmaTarget");
  return true;
}

}  // namespace consistency::objective
