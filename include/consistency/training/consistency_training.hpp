// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/training/objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CT, training without a teacher (Song et al. 2023, Algorithm 3): the velocity comes from the data, so the
/// Euler step from x + t z ends at x + r z.
template <class F, class D = PseudoHuber, class T = GridTimes<>, class W = UniformWeighting,
          class Target = StopGradientTarget>
struct ConsistencyTraining : ConsistencyObjective<F, D, T, W, Target, DataVelocity, Euler> {
  explicit ConsistencyTraining(F function, D distance = {}, T pairs = {}, W weight = {}, Target rule = {})
      : ConsistencyObjective<F, D, T, W, Target, DataVelocity, Euler>{std::move(function),
                                                                      std::move(distance),
                                                                      std::move(pairs),
                                                                      std::move(weight),
                                                                      std::move(rule),
                                                                      {},
                                                                      {}} {}
};

}  // namespace consistency
