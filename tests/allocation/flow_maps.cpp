// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/training/alpha_flow.hpp>
#include <consistency/training/consistency_mid_training.hpp>
#include <consistency/training/consistency_trajectory_model.hpp>
#include <consistency/training/lagrangian_self_distillation.hpp>
#include <consistency/training/mean_flow.hpp>
#include <consistency/training/multistep_consistency_model.hpp>
#include <consistency/training/shortcut.hpp>
#include <consistency/training/truncated_consistency_model.hpp>

#include "method_steps.hpp"

using namespace consistency;
using namespace consistency::test;

// One method of each identity, and those whose loss is their own.
TEST_CASE("after the first steps no method of flow maps asks for memory, nor one of stages or segments") {
  set_threads(1);
  FlowMap const X{
      Mlp{{.dimensions = 2, .width = 8, .layers = 1, .condition = {.second_time = SecondTime::gap}}},
      LinearPath{}};
  auto const net = Mlp{{.dimensions = 2, .width = 8, .layers = 1}};
  auto const D = Denoiser{net};
  auto const D_path = Denoiser{net, LinearPath{}};
  auto const f = ConsistencyFunction{net};
  auto const phi = f.initialize({3});
  check_steps(MeanFlow{.f = X});
  check_steps(AlphaFlow{.f = X});
  check_steps(Shortcut{.f = X});
  check_steps(LagrangianSelfDistillation{.f = X});
  check_steps(ConsistencyTrajectoryModel{.f = X, .velocity = TeacherVelocity{D_path, phi}});
  check_steps(TruncatedConsistencyModel{.f = f, .phi = phi});
  check_steps(MultistepConsistencyModel{.f = D});
  check_steps(ConsistencyMidTraining{.f = f, .velocity = TeacherVelocity{D, phi}, .steps = 4});
}
