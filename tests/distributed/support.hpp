// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/adaptive_ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency::test {

/// How the training of a small perceptron may differ from rank to rank.
struct Run {
  Index width = 16;
  std::uint64_t theta_seed = 1;
  double learning_rate = 1e-3;
  double mu = 0.9;
  TrainerSettings settings{.ema = 0.99, .clip = 0.05, .key = {5}};
};

inline auto consistency_function(Index width) {
  return ConsistencyFunction{Mlp{{.dimensions = 2, .width = width, .layers = 2, .embedding = 8}}};
}

template <Communicator C = SelfCommunicator>
auto trainer(Run const& run, C communicator = C{}) {
  auto const f = consistency_function(run.width);
  auto const method = ConsistencyTraining{.f = f,
                                          .metric = PseudoHuber{},
                                          .times = GridTimes<AdaptiveSteps>{.curriculum = {.K = 50}},
                                          .weighting = UniformWeighting{},
                                          .target = AdaptiveEmaTarget{.mu0 = run.mu}};
  return Trainer{method, RAdam{.learning_rate = run.learning_rate}, f.initialize({run.theta_seed}),
                 run.settings, std::move(communicator)};
}

/// The global batch of step k: 10 samples, which 3 ranks share unevenly.
inline Tensor<float> global_batch(Index k) {
  return normal<float>({10, 2}, {99}, {static_cast<std::uint32_t>(k), 0});
}

}  // namespace consistency::test
