// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/metric/l2.hpp>
#include <consistency/schedule/uniform_distribution.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/continuous_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CD in continuous time: Theorem 5 of Song et al. 2023, or with StudentTarget Theorems 3 (a smooth metric)
/// and 4 (a norm). Throws config_error where the teacher does not fit the student.
template <class F, class Source, class D = L2, class Distribution = UniformDistribution,
          class W = UniformWeighting, class Target = StopGradientTarget>
struct ContinuousConsistencyDistillation : ContinuousObjective<F, D, Distribution, W, Target, Source> {
  static_assert(Teacher<Source>,
                "ContinuousConsistencyDistillation needs a teacher: its second argument is "
                "TeacherVelocity{denoiser, phi}; without a teacher use ContinuousConsistencyTraining");

  explicit ContinuousConsistencyDistillation(F function, Source teacher, D distance = {},
                                             Distribution times = {}, W weight = {}, Target rule = {},
                                             KarrasGrid bounds = {})
      : ContinuousObjective<F, D, Distribution, W, Target, Source>{std::move(function),
                                                                   std::move(distance),
                                                                   std::move(times),
                                                                   std::move(weight),
                                                                   std::move(rule),
                                                                   std::move(teacher),
                                                                   bounds} {
    this->check();
  }
};

}  // namespace consistency
