// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/metric/l2.hpp>
#include <consistency/schedule/uniform_distribution.hpp>
#include <consistency/training/continuous_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CT in continuous time (Song et al. 2023, Theorem 6).
template <class F, class D = L2, class Distribution = UniformDistribution, class W = UniformWeighting>
struct ContinuousConsistencyTraining
    : ContinuousObjective<F, D, Distribution, W, StopGradientTarget, DataVelocity> {
  explicit ContinuousConsistencyTraining(F function, D distance = {}, Distribution times = {}, W weight = {},
                                         KarrasGrid bounds = {})
      : ContinuousObjective<F, D, Distribution, W, StopGradientTarget, DataVelocity>{
            std::move(function), std::move(distance), std::move(times), std::move(weight), {}, {}, bounds} {}
};

}  // namespace consistency
