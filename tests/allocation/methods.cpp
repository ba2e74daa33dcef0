// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>

#include "counts.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const net = Mlp{{.dimensions = 2, .width = 32, .layers = 2}};
auto const f = ConsistencyFunction{net};
auto const D = Denoiser{net};

/// Steps 3 to 10 of a method ask for nothing.
void check_steps(auto method) {
  auto trainer = Trainer{std::move(method), Adam{}, f.initialize({1})};
  Tensor<float> const batch = 0.5 * normal<float>({16, 2}, {2});
  for (int i = 0; i < 2; ++i) trainer.step(batch);
  auto const before = now();
  for (int i = 0; i < 8; ++i) trainer.step(batch);
  auto const after = now();
  CHECK(after.heap - before.heap == 0);
  CHECK(after.pool - before.pool == 0);
}

}  // namespace

TEST_CASE("after the first steps no training method asks for memory") {
  set_threads(1);
  auto const teacher = TeacherVelocity{D, D.initialize({3})};
  check_steps(DenoiserTraining{.f = D});
  check_steps(ConsistencyDistillation{.f = f,
                                      .velocity = teacher,
                                      .solver = Heun{},
                                      .metric = L2{},
                                      .times = GridTimes<FixedSteps>{},
                                      .weighting = UniformWeighting{},
                                      .target = EmaTarget{}});
  check_steps(ContinuousConsistencyTraining{.f = f});
  check_steps(ContinuousConsistencyDistillation{.f = f, .velocity = teacher});
  check_steps(ContinuousConsistencyDistillation{.f = f,
                                                .velocity = teacher,
                                                .metric = L2{},
                                                .distribution = UniformDistribution{},
                                                .weighting = UniformWeighting{},
                                                .target = StudentTarget{}});
  check_steps(ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 4, .stage_steps = 3}});
}
