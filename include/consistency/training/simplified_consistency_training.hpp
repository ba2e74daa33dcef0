// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/identity/eulerian_identity.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/schedule/times_to_end.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// sCT, and sCD with a TeacherVelocity (Lu & Song 2024, Section 4), of a ConsistencyFunction on
/// Trigonometric: the tangent is brought in over 10000 steps and normalised. The paper learns the weight:
/// LearnedWeighting{method}.
template <class F, class Source = DataVelocity, class Identity = EulerianIdentity, class D = L2,
          class T = TimesToEnd<>, class W = UniformWeighting, class Target = StopGradientTarget>
struct SimplifiedConsistencyTraining {
  static_assert(flow_map::policies<F, Source, Identity, D, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity{};
  Identity identity{.warm_up = 10000, .normalise = EulerianIdentity::Normalise::l2, .c = 0.1};
  D metric{};
  T times{};
  W weighting{};
  Target target{};

  void check() const { flow_map::check(*this); }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return target.rate(0); }
  template <class X>
  auto draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return flow_map::draw(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  auto distance(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return flow_map::distance(*this, theta, theta_minus, batch, drawn);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
