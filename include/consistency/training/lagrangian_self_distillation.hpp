// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/identity/lagrangian_identity.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/schedule/pair_times.hpp>
#include <consistency/schedule/uniform_distribution.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// LSD (Boffi et al. 2025): flow matching on three samples of four, and the Lagrangian identity on the
/// others.
template <class F, class Source = DataVelocity, class Identity = LagrangianIdentity, class D = L2,
          class T = PairTimes<UniformDistribution>, class W = UniformWeighting,
          class Target = StopGradientTarget>
struct LagrangianSelfDistillation {
  static_assert(flow_map::policies<F, Source, Identity, D, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity{};
  Identity identity{};
  D metric{};
  T times{.first = {}, .second = {}, .diagonal = 0.75};
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
