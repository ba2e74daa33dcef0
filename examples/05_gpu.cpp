// SPDX-License-Identifier: MIT
// Trains a small network on points of a ring by consistency training, then draws new points in one step.
#include <cmath>
#include <cstdio>
#include <numbers>

#include <consistency/cuda.hpp>

namespace cm = consistency;
using X = cm::Tensor<float, cm::Cuda>;  // where numbers live

// Batch k of the data: points on a circle of radius 0.7, a little blurred.
X ring(cm::Index n, cm::Index k) {
  auto const at = cm::Counter{.step = static_cast<std::uint32_t>(k)};
  auto const angle = cm::uniform<X>({n, 1}, cm::Key{10}, at);
  auto const turn = cm::evaluated(2 * std::numbers::pi * angle);
  auto const blur = cm::normal<X>({n, 2}, cm::Key{11}, at);
  return 0.7 * concat(cos(turn), sin(turn)) + 0.03 * blur;
}

int main() {
  constexpr cm::Index steps = 4000;

  cm::Mlp const net{{.dimensions = 2, .width = 96}};  // a description
  cm::ConsistencyFunction const f{net};               // f_θ(x, t)
  auto const theta = f.initialize<X>(cm::Key{42});    // a value

  cm::GapTimes const times{.denoising = 400, .stage_steps = 400};
  cm::Trainer trainer{
      cm::ConsistencyTraining{.f = f,
                              .metric = cm::PseudoHuber{.c = 0.01},
                              .times = times,
                              .weighting = cm::InverseGapWeighting{}},
      cm::RAdam{.learning_rate = 2e-3, .beta2 = 0.99, .schedule = {.decay_from = 2800, .decay_to = steps}},
      theta,
      {.ema = 0.99, .clip = 1}};

  auto const batches = [](cm::Index k) { return ring(256, k); };
  trainer.run(batches, steps, [](cm::StepReport const& report) {
    if (report.step % 500 == 0)
      std::printf("step %4ld  loss %.3f\n", static_cast<long>(report.step), report.loss);
    return true;  // false would end the run
  });

  auto const x = cm::sample(f, trainer.averaged(), cm::OneStep{}, {.seed = 1, .count = 2000});
  auto const radius = cm::to<cm::Cpu>(X{sqrt(sum_per_sample(square(x)))});
  auto const mean = cm::mean(radius)[0];
  auto const spread = std::sqrt(cm::mean(square(radius - mean))[0]);
  std::printf("radius %.3f +- %.3f; the data has 0.700 +- 0.030\n", static_cast<double>(mean),
              static_cast<double>(spread));
  return std::abs(mean - 0.7F) < 0.05F && spread < 0.12F ? 0 : 1;
}
