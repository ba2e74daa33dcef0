// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/schedule/decrement_times.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/population_objective.hpp>
#include <consistency/weighting/sigmoid_weighting.hpp>

namespace consistency {

/// Inductive Moment Matching (Zhou, Ermon & Song 2025): groups of samples that have one span agree in all
/// moments at r whether they come from t or from q, nearer to the data. Of groups of one sample, with
/// EnergyKernel, it is consistency training.
template <class F, class K = LaplaceKernel, class T = DecrementTimes, class W = SigmoidWeighting,
          class Target = StopGradientTarget>
struct InductiveMomentMatching {
  static_assert(population::policies<F, K, T, W, Target>());
  static constexpr bool has_target = Target::has_target;
  F f;
  K kernel{};
  T times{};
  W weighting{};
  Target target{};
  Index group = 4;  ///< M, samples of one span; batches are whole groups

  void check() const { population::check(*this); }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return target.rate(0); }
  template <class X>
  auto draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return population::draw(*this, "InductiveMomentMatching", x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, flow_map::Drawn<X> const& drawn) const {
    return population::discrepancy(*this, theta, theta_minus, batch, drawn);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
