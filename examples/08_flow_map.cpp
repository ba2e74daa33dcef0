// SPDX-License-Identifier: MIT
// A flow map of points on a checkerboard: one network, trained once by MeanFlow, that draws in 1, 2 or 4
// steps.
#include <algorithm>
#include <cstdio>

#include <consistency/consistency.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/evaluation/energy_distance.hpp>

namespace cm = consistency;

int main() {
  constexpr cm::Index steps = 2500;
  cm::Mlp const net{{.dimensions = 2,
                     .width = 128,
                     .condition = {.second_time = cm::SecondTime::gap}}};  // it sees t and t − r
  cm::FlowMap const X{net};                                                // X_{t→r}(x)

  // Of two numbers, the mean of the velocity: L2 in place of the adaptive metric of images.
  cm::Trainer trainer{
      cm::MeanFlow{.f = X, .metric = cm::L2{}},
      cm::Adam{.learning_rate = 2e-3, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
      X.initialize(cm::Key{42}),
      {.ema = 0.998, .clip = 1}};
  trainer.run(cm::CheckerboardBatches{256, cm::Key{1}}, steps, [](cm::StepReport const& report) {
    if (report.step % 500 == 0)
      std::printf("step %4ld  loss %.3f\n", static_cast<long>(report.step), report.loss);
    return true;  // false would end the run
  });

  auto const data = cm::CheckerboardBatches{2000, cm::Key{2}}(0);  // (2000, 2)
  auto const distance = [&](cm::Index jumps, auto const& theta) {
    auto const x = cm::sample(X, theta, cm::FlowMapSampler{.steps = jumps}, {.seed = 3, .count = 2000});
    return cm::energy_distance(x, data);
  };
  std::printf("untrained      energy distance %.4f\n", distance(1, X.initialize(cm::Key{42})));
  double worst = 0;
  for (cm::Index const jumps : {1, 2, 4}) {
    auto const found = distance(jumps, trainer.averaged());
    std::printf("in %ld step%s     energy distance %.4f\n", static_cast<long>(jumps), jumps == 1 ? " " : "s",
                found);
    worst = std::max(worst, found);
  }
  return worst < 0.01 ? 0 : 1;
}
