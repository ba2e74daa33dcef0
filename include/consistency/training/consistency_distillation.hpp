// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/metric/l2.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// A velocity that a trained denoiser gives.
template <class V>
concept Teacher = VelocitySource<V> && requires(V const& source) { source.denoiser; };

/// CD, distilling a teacher (Song et al. 2023, Algorithm 2): the ODE solver follows TeacherVelocity{D, φ}.
/// `check()` throws config_error where the teacher does not fit the student.
template <class F, class Source, class Solver = Heun, class D = L2, class T = GridTimes<FixedSteps>,
          class W = UniformWeighting, class Target = StopGradientTarget>
struct ConsistencyDistillation {
  static_assert(objective::policies<F, Source, Solver, D, T, W, Target>());
  static_assert(
      Teacher<Source>,
      "ConsistencyDistillation needs a teacher: .velocity = TeacherVelocity{denoiser, phi}; without a "
      "teacher use ConsistencyTraining");
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity;
  Solver solver{};
  D metric{};
  T times{};
  W weighting{};
  Target target{};

  void check() const { objective::check(*this); }
  double resolution(Index k) const { return objective::resolution(*this, k); }
  double rate(Index k) const { return objective::rate(*this, k); }
  template <class X>
  Draws<X, 2> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return objective::draw(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, Draws<X, 2> const& drawn) const {
    auto const& [t, r] = drawn.times;  // (n, 1, …)
    return objective::distance(*this, theta, theta_minus, batch, drawn.z, t, r, drawn.mode);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
