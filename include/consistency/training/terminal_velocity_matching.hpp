// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/identity/lagrangian_identity.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/schedule/gap_first_times.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// Terminal Velocity Matching (Zhou et al. 2025): flow matching on one sample of two and the Lagrangian
/// identity on the other, by the average of θ. Without guidance.
template <class F, class Source = DataVelocity, class Identity = LagrangianIdentity, class D = L2,
          class T = GapFirstTimes, class W = UniformWeighting, class Target = EmaTarget>
struct TerminalVelocityMatching {
  static_assert(flow_map::policies<F, Source, Identity, D, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity{};
  Identity identity{};
  D metric{};
  T times{};
  W weighting{};
  Target target{.mu = 0.99};

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
