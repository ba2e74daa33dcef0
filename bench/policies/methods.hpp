// SPDX-License-Identifier: MIT
#pragma once

// What each method makes of a choice of policies, and which choices it takes.

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

#include <consistency/consistency.hpp>

#include "any_times.hpp"
#include "axis.hpp"

namespace policies {

/// A flow map of average velocities.
using Map = FlowMap<Mlp>;
inline Map map_of(Mlp const& network) {
  auto settings = network.settings();
  settings.condition.second_time = SecondTime::gap;
  return Map{Mlp{settings}};
}

/// What all trainings share.
struct Classroom {
  Mlp network;
  Denoiser<Mlp> teacher;
  Parameters<Tensor<float>> phi;        ///< the teacher's averaged weights, where students of a teacher begin
  Parameters<Tensor<float>> fresh;      ///< random weights, where others begin
  Parameters<Tensor<float>> fresh_map;  ///< the same of a network of two times
  Index steps;                          ///< K

  auto velocity() const { return TeacherVelocity{teacher, phi}; }
  Map map() const { return map_of(network); }
};

/// One policy of each axis.
template <class M, class Pr, class Pa, class D, class S, class T, class G, class O>
struct Choice {
  using Method = M;
  using Process = Pr;
  using Parameterization = Pa;
  using Metric = D;
  using Solver = S;
  using Times = T;
  using Target = G;
  using Optimizer = O;
  M method;
  Pr process;
  Pa parameterization;
  D metric;
  S solver;
  T times;
  G target;
  O optimizer;
};

template <class P>
concept IsUsual = std::same_as<P, Usual>;

/// The policy, or `other` for the usual one.
template <class P, class Other>
auto policy_or(P const& policy, Other const& other) {
  if constexpr (IsUsual<P>)
    return other;
  else
    return policy;
}

/// A function of the network: the process with its parameterization, or the one that it usually has.
template <template <class...> class Function, class C>
auto function_of(C const& c, Mlp const& network) {
  if constexpr (IsUsual<typename C::Parameterization>)
    return Function{network, c.process};
  else
    return Function{network, c.parameterization, c.process};
}

namespace detail {

template <class P, class Process>
concept Parameterizes = (IsUsual<P> && HasParameterization<Process>) ||
                        requires { requires std::same_as<typename P::Process, Process>; };
template <class C>
concept Basic = NoiseProcess<typename C::Process> && Metric<typename C::Metric> &&
                Parameterizes<typename C::Parameterization, typename C::Process> &&
                (IsUsual<typename C::Optimizer> || Optimizer<typename C::Optimizer>);
template <class C>
concept Discrete =
    Basic<C> && (IsUsual<typename C::Times> || TimePairs<typename C::Times>)&&(
                    IsUsual<typename C::Target> ||
                    (TargetNetwork<typename C::Target> && !continuous::through_target<typename C::Target>));
template <class C>
concept OneTime = Basic<C> && IsUsual<typename C::Solver> &&
                  (IsUsual<typename C::Times> || TimeDistribution<typename C::Times>);
template <class C>
concept AsDenoiser = Basic<C> && IsUsual<typename C::Solver> && IsUsual<typename C::Target>;
template <class C>
concept SmoothMetric = continuous::smooth<typename C::Metric>;

template <class C>
concept OwnPolicies =
    IsUsual<typename C::Process> && IsUsual<typename C::Parameterization> && IsUsual<typename C::Metric> &&
    IsUsual<typename C::Solver> && IsUsual<typename C::Times> && IsUsual<typename C::Target> &&
    (IsUsual<typename C::Optimizer> || Optimizer<typename C::Optimizer>);

inline auto pairs_or(auto const& times, Index K) {
  if constexpr (requires { times.during(K); })
    return times.during(K);
  else
    return policy_or(times, AnyTimes{GridTimes<FixedSteps>{{.N = 18}}});
}

}  // namespace detail

/// CT (Song et al. 2023, Algorithm 3).
struct Training {
  template <class C>
  static constexpr bool takes = detail::Discrete<C> && IsUsual<typename C::Solver>;
  auto operator()(auto const& c, Classroom const& room) const {
    return ConsistencyTraining{.f = function_of<ConsistencyFunction>(c, room.network),
                               .metric = c.metric,
                               .times = detail::pairs_or(c.times, room.steps),
                               .weighting = UniformWeighting{},
                               .target = policy_or(c.target, StopGradientTarget{})};
  }
};

/// CD (Algorithm 2).
struct Distillation {
  static constexpr bool of_teacher = true;
  template <class C>
  static constexpr bool takes =
      detail::Discrete<C> && (IsUsual<typename C::Solver> || OdeSolver<typename C::Solver>);
  auto operator()(auto const& c, Classroom const& room) const {
    return ConsistencyDistillation{.f = function_of<ConsistencyFunction>(c, room.network),
                                   .velocity = room.velocity(),
                                   .solver = policy_or(c.solver, Heun{}),
                                   .metric = c.metric,
                                   .times = detail::pairs_or(c.times, room.steps),
                                   .weighting = UniformWeighting{},
                                   .target = policy_or(c.target, StopGradientTarget{})};
  }
};

/// CT in continuous time (Theorem 6).
struct ContinuousTraining {
  template <class C>
  static constexpr bool takes =
      detail::OneTime<C> && detail::SmoothMetric<C> &&
      (IsUsual<typename C::Target> || std::same_as<typename C::Target, StopGradientTarget>);
  auto operator()(auto const& c, Classroom const& room) const {
    return ContinuousConsistencyTraining{.f = function_of<ConsistencyFunction>(c, room.network),
                                         .metric = c.metric,
                                         .distribution = policy_or(c.times, UniformDistribution{})};
  }
};

/// CD in continuous time (Theorem 5; 3 and 4 with StudentTarget).
struct ContinuousDistillation {
  static constexpr bool of_teacher = true;
  template <class C>
  static constexpr bool takes =
      detail::OneTime<C> &&
      (continuous::through_target<typename C::Target>
           ? detail::SmoothMetric<C> || continuous::norm<typename C::Metric>
           : detail::SmoothMetric<C> &&
                 (IsUsual<typename C::Target> || std::same_as<typename C::Target, StopGradientTarget>));
  auto operator()(auto const& c, Classroom const& room) const {
    return ContinuousConsistencyDistillation{.f = function_of<ConsistencyFunction>(c, room.network),
                                             .velocity = room.velocity(),
                                             .metric = c.metric,
                                             .distribution = policy_or(c.times, UniformDistribution{}),
                                             .weighting = UniformWeighting{},
                                             .target = policy_or(c.target, StopGradientTarget{})};
  }
};

/// PD: as many stages of equal length as halve 16 steps to one.
struct Progressive {
  static constexpr bool of_teacher = true;
  template <class C>
  static constexpr bool takes =
      detail::AsDenoiser<C> && std::same_as<typename C::Process, VarianceExploding> &&
      (IsUsual<typename C::Times> || TimeTriples<typename C::Times>);
  auto operator()(auto const& c, Classroom const& room) const {
    return ProgressiveDistillation{
        .f = function_of<Denoiser>(c, room.network),
        .metric = c.metric,
        .times = planned(policy_or(c.times, ProgressiveTimes{.start = 16}), room.steps)};
  }
};

/// A denoiser (Karras et al. 2022), with many steps of sampling.
struct Denoising {
  static constexpr bool denoises = true;
  template <class C>
  static constexpr bool takes =
      detail::AsDenoiser<C> && detail::OneTime<C> && weights_times_of<EdmWeighting, typename C::Process>;
  auto operator()(auto const& c, Classroom const& room) const {
    return DenoiserTraining{.f = function_of<Denoiser>(c, room.network),
                            .metric = c.metric,
                            .distribution = policy_or(c.times, LogNormalDistribution{-1.2, 1.2})};
  }
};

/// Flow matching (Lipman et al. 2023), with many steps of sampling.
struct Flow {
  static constexpr bool denoises = true;
  template <class C>
  static constexpr bool takes = detail::AsDenoiser<C> && detail::OneTime<C>;
  auto operator()(auto const& c, Classroom const& room) const {
    return FlowMatching{.f = function_of<Denoiser>(c, room.network),
                        .metric = c.metric,
                        .distribution = policy_or(c.times, LogNormalDistribution{0, 1})};
  }
};

/// A method of flow maps, with its own policies: make(room) is it.
template <class Make>
struct OfFlowMap : Make {
  static constexpr bool of_two_times = true;
  template <class C>
  static constexpr bool takes = detail::OwnPolicies<C>;
  auto operator()(auto const&, Classroom const& room) const { return Make::operator()(room); }
};
template <class Make>
OfFlowMap(Make) -> OfFlowMap<Make>;

/// sCT (Lu & Song 2024), by one time on Trigonometric.
struct Simplified {
  template <class C>
  static constexpr bool takes = detail::OwnPolicies<C>;
  auto operator()(auto const&, Classroom const& room) const {
    return SimplifiedConsistencyTraining{.f = ConsistencyFunction{room.network, Trigonometric{}},
                                         .identity = {.warm_up = std::max<Index>(1, room.steps / 4)}};
  }
};

/// Whether the method of a choice takes the other policies.
template <class... P>
struct Fits {
  using C = Choice<P...>;
  static constexpr bool value = C::Method::template takes<C>;
};

}  // namespace policies
