// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/adaptive_ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency::test {

/// The trainer of UNetRun.
template <Communicator C = SelfCommunicator>
auto unet_trainer(std::uint64_t seed, C communicator = C{}) {
  auto const f = ConsistencyFunction{UNet{{.channels = 16,
                                           .blocks = 1,
                                           .attention = {8},
                                           .heads = 2,
                                           .dropout = 0.2,
                                           .embedding = 32,
                                           .image = {16, 16, 1}}}};
  auto const method = ConsistencyTraining{.f = f,
                                          .metric = PseudoHuber{},
                                          .times = GridTimes<AdaptiveSteps>{.curriculum = {.K = 50}},
                                          .weighting = UniformWeighting{},
                                          .target = AdaptiveEmaTarget{}};
  return Trainer{method,
                 RAdam{.learning_rate = 1e-3},
                 f.initialize({seed}),
                 {.ema = 0.99, .clip = 5, .key = {seed}},
                 std::move(communicator)};
}

}  // namespace consistency::test
