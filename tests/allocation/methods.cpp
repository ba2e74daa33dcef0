// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adamw.hpp>
#include <consistency/optimizer/frozen.hpp>
#include <consistency/optimizer/groups.hpp>
#include <consistency/optimizer/muon.hpp>
#include <consistency/optimizer/sgd.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/drifting.hpp>
#include <consistency/training/flow_matching.hpp>
#include <consistency/training/inductive_moment_matching.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>

#include "method_steps.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const net = Mlp{{.dimensions = 2, .width = 32, .layers = 2}};
auto const f = ConsistencyFunction{net};
auto const D = Denoiser{net};

}  // namespace

TEST_CASE(
    "after the first steps no optimizer asks for memory, nor a step under conditions or of micro-batches") {
  set_threads(1);
  ConsistencyFunction const g{Mlp{{.dimensions = 2, .width = 32, .layers = 2, .condition = {.features = 3}}}};
  ClassLabels labels{.labels = {}, .classes = 3};
  for (Index i = 0; i < 16; ++i) labels.labels.push_back(i % 3);
  Batch<Tensor<float>> const batch{0.5 * normal<float>({16, 2}, {2}), labels};
  auto const check = [&](auto const& optimizer, TrainerSettings const& settings) {
    auto trainer =
        Trainer{ConsistencyTraining{.f = g, .target = EmaTarget{}}, optimizer, g.initialize({1}), settings};
    for (int i = 0; i < 3; ++i) trainer.step(batch);
    auto const before = now();
    for (int i = 0; i < 8; ++i) trainer.step(batch);
    auto const after = now();
    CHECK(after.heap - before.heap == 0);
    CHECK(after.pool - before.pool == 0);
  };
  check(Adam{}, {.condition_dropout = 0.2});
  check(Adam{}, {.further_averages = {0.9}, .micro_batch = 4});
  check(AdamW{}, {});
  check(Sgd{}, {});
  check(Muon{}, {});
  check(Groups{Group{{"hidden*"}, Muon{}}, Group{{"condition*", "out.weight"}, AdamW{}},
               Group{{"out.bias"}, Frozen{}}},
        {});
}

TEST_CASE("after the first steps no training method asks for memory") {
  set_threads(1);
  auto const teacher = TeacherVelocity{D, D.initialize({3})};
  check_steps(DenoiserTraining{.f = D});
  check_steps(FlowMatching{.f = Denoiser{net, Trigonometric{}}});
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
  check_steps(Drifting{.f = f, .group = 8});
  FlowMap const map{
      Mlp{{.dimensions = 2, .width = 32, .layers = 2, .condition = {.second_time = SecondTime::gap}}},
      LinearPath{.epsilon = 0.006, .T = 0.994}};
  check_steps(InductiveMomentMatching{.f = map});
}
