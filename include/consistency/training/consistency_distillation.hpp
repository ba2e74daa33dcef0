// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

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
/// Throws config_error where the teacher does not fit the student.
template <class F, class Source, class Solver = Heun, class D = L2, class T = GridTimes<FixedSteps>,
          class W = UniformWeighting, class Target = StopGradientTarget>
struct ConsistencyDistillation : ConsistencyObjective<F, D, T, W, Target, Source, Solver> {
  static_assert(Teacher<Source>,
                "ConsistencyDistillation needs a teacher: its second argument is TeacherVelocity{denoiser, "
                "phi}; without a teacher use ConsistencyTraining");

  explicit ConsistencyDistillation(F function, Source teacher, Solver step = {}, D distance = {},
                                   T pairs = {}, W weight = {}, Target rule = {})
      : ConsistencyObjective<F, D, T, W, Target, Source, Solver>{
            std::move(function), std::move(distance), std::move(pairs), std::move(weight),
            std::move(rule),     std::move(teacher),  std::move(step)} {
    this->check();
  }
};

}  // namespace consistency
