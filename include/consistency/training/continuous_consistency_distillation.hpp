// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/metric/l2.hpp>
#include <consistency/schedule/uniform_distribution.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/continuous_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CD in continuous time: Theorem 5 of Song et al. 2023, or with StudentTarget Theorems 3 (a smooth metric)
/// and 4 (a norm). `check()` throws config_error where the teacher does not fit the student.
template <class F, class Source, class D = L2, class Distribution = UniformDistribution,
          class W = UniformWeighting, class Target = StopGradientTarget>
struct ContinuousConsistencyDistillation {
  static_assert(continuous::policies<F, Source, D, Distribution, W, Target>());
  static_assert(
      Teacher<Source>,
      "ContinuousConsistencyDistillation needs a teacher: .velocity = TeacherVelocity{denoiser, phi}; "
      "without a teacher use ContinuousConsistencyTraining");
  static constexpr bool has_target = false;
  F f;
  Source velocity;
  D metric{};
  Distribution distribution{};
  W weighting{};
  Target target{};

  void check() const { continuous::check(*this); }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }
  template <class X>
  Draws<X, 1> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_time(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, Draws<X, 1> const& drawn) const {
    return continuous::distance(*this, theta, theta_minus, batch, drawn.z, drawn.times[0], drawn.mode);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
