// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/identity/identity.hpp>
#include <consistency/metric/metric.hpp>
#include <consistency/network/network.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/schedule/time_span.hpp>
#include <consistency/schedule/times_to_end.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/student_target.hpp>
#include <consistency/target/target.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/weighting.hpp>

/// The loss of every method of flow maps, any type with the members f, velocity, identity, metric, times,
/// weighting and target: draw times t ≥ q ≥ r, build x_t from data and noise, and minimise w(t, r) · d
/// between the two sides of an identity of X_{t→r}, of which the second is a constant of θ⁻.
namespace consistency::flow_map {

/// Noise, the times t, q and r, and 1 where r = t, else 0; and the step, from which schedules are known.
template <class X>
struct Drawn : Draws<X, 4> {
  Index k = 0;

  Drawn clone() const { return {Draws<X, 4>::clone(), k}; }
  void assign(Drawn const& from) {
    Draws<X, 4>::assign(from);
    k = from.k;
  }
};

/// Throws config_error for times that are not t ≥ r.
template <class X>
Drawn<X> draw(auto const& method, X const& x0, Index k, Key key, std::uint32_t first) {
  auto const process = process_of(method.f);
  auto const one = [&](Key sample_key, Counter sample) {
    using S = typename X::Scalar;
    if constexpr (requires { method.group; })  // one span for all samples of a group
      sample.sample /= static_cast<std::uint32_t>(method.group);
    auto const [t, q, r] = method.times.draw(process, k, sample_key, sample);
    if (!(t >= q && q >= r))
      fail<config_error>("training method, step " + number_text(k),
                         "times t, q and r of sample " + number_text(sample.sample),
                         number_text(t) + ", " + number_text(q) + " and " + number_text(r), "t >= q >= r");
    return std::array{t, q, r, static_cast<S>(t) == static_cast<S>(r) ? 1.0 : 0.0};
  };
  return {draw_for<4>(x0, k, key, first, one), k};
}

/// The velocity at x_t: dx_t/dt of data and noise, or a teacher's.
template <class X>
X velocity_at(auto const& source, auto const& process, Batch<X> const& batch, X const& z, X const& x_t,
              X const& t) {
  if constexpr (std::same_as<std::remove_cvref_t<decltype(source)>, DataVelocity>)
    return process.data_velocity(batch.x0, z, t);
  else
    return source.given(process, batch)(x_t, t);
}

/// The term of each sample.
template <class M, class X>
auto distance(M const& m, auto const& theta, Parameters<X> const& theta_minus,
              std::type_identity_t<Batch<X>> const& batch, Drawn<X> const& drawn) {
  if (drawn.mode.recorded && m.identity.scheduled())
    fail<config_error>("training method", "TrainerSettings::record", "true",
                       "false: this method's target changes with the step, and a recording would not");
  auto const& map = with_condition(m.f, batch.condition);
  auto const process = process_of(m.f);
  auto const& [t, q, r, diagonal] = drawn.times;                         // (n, 1, …)
  X const x_t = process.point(batch.x0, drawn.z, t);                     // (n, …)
  X const v = velocity_at(m.velocity, process, batch, drawn.z, x_t, t);  // (n, …)
  auto const sides = m.identity(map, theta, theta_minus,
                                SpanPoint<X>{x_t, v, t, q, r, diagonal, drawn.k, drawn.mode});  // (n, …)
  X const w = sides.weight * m.weighting(t, r);                                                 // (n, 1, …)
  return evaluated(w * m.metric(sides.prediction, sides.target));                               // (n, 1, …)
}

void check(auto const& method) {
  check_settings(method.metric);
  if constexpr (requires { method.identity; }) check_settings(method.identity);
  check_settings(method.times, process_of(method.f));
  check_settings(method.target);
  check_settings(method.weighting);
  if constexpr (requires { method.velocity.check_student(method.f); })
    method.velocity.check_student(method.f);
}

template <class T>
inline constexpr bool ends_at_epsilon = false;
template <class Distribution>
inline constexpr bool ends_at_epsilon<TimesToEnd<Distribution>> = true;

/// Always true, or a sentence that names the policy which is none.
template <class Source, class D, class T, class Target>
consteval bool policies_of_spans() {
  static_assert(VelocitySource<Source>,
                "the velocity must be a VelocitySource: given(process, batch) is v(x, t)");
  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(TimeSpans<T>, "the times must be TimeSpans: draw(process, k, key, at) gives t, q and r");
  static_assert(TargetNetwork<Target> && !std::same_as<Target, StudentTarget>,
                "the target must be a TargetNetwork, StopGradientTarget or EmaTarget");
  return true;
}
template <class F, class Source, class D, class T, class W, class Target>
consteval bool common_policies() {
  static_assert(
      requires { requires F::kind == Kind::flow_map; } ||
          (ends_at_epsilon<T> && requires { requires F::kind == Kind::consistency_function; }),
      "the student must be a FlowMap, X(x, t, r); a ConsistencyFunction is one for r = epsilon alone, "
      "which TimesToEnd draws");
  static_assert(policies_of_spans<Source, D, T, Target>());
  static_assert(Weighting<W, 2>, "the weighting must take two times, w(t, r)");
  return true;
}
template <class F, class Source, class Identity, class D, class T, class W, class Target>
consteval bool policies() {
  static_assert(common_policies<F, Source, D, T, W, Target>());
  static_assert(
      requires(Identity const& identity) { identity.scheduled(); },
      "the identity must be one of flow maps: EulerianIdentity, LagrangianIdentity, SemigroupIdentity, "
      "BlendedIdentity");
  if constexpr (requires { requires Identity::of_average_velocity; })
    static_assert(
        is_average_velocity<std::remove_cvref_t<decltype(std::declval<F const&>().parameterization())>>,
        "this identity is one of average velocities: the flow map must be on LinearPath with "
        "VelocityPreconditioning; EulerianIdentity and LagrangianIdentity take any");
  else
    static_assert(DifferentiableNetwork<std::remove_cvref_t<decltype(std::declval<F const&>().network())>>,
                  "this identity needs the network's derivative along x and t: make its call operator a "
                  "template over the value types of x and time, so that Dual values pass through it");
  return true;
}

}  // namespace consistency::flow_map
