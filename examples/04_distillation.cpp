// SPDX-License-Identifier: MIT
// Trains a denoiser on points of a ring, looks at what it draws in 35 evaluations, and distills it into a
// consistency model that draws in one.
#include <cmath>
#include <cstdio>
#include <numbers>

#include <consistency/consistency.hpp>

namespace cm = consistency;

// Batch k of the data: points on a circle of radius 0.7, a little blurred.
cm::Tensor<float> ring(cm::Index k) {
  constexpr cm::Index n = 256;
  auto const at = cm::Counter{.step = static_cast<std::uint32_t>(k)};
  auto const turn = cm::evaluated(2 * std::numbers::pi * cm::uniform<float>({n, 1}, cm::Key{10}, at));
  return 0.7 * concat(cos(turn), sin(turn)) + 0.03 * cm::normal<float>({n, 2}, cm::Key{11}, at);
}

// Prints how far points are from the center; returns whether that is the data's 0.7.
bool on_the_ring(char const* who, cm::Tensor<float> const& x) {
  cm::Tensor<float> const radius = sqrt(sum_per_sample(square(x)));
  auto const mean = cm::mean(radius)[0];
  auto const spread = std::sqrt(cm::mean(square(radius - mean))[0]);
  std::printf("%-28s radius %.3f +- %.3f\n", who, static_cast<double>(mean), static_cast<double>(spread));
  return std::abs(mean - 0.7F) < 0.05F && spread < 0.12F;
}

int main() {
  constexpr cm::Index steps = 4000;
  auto const optimizer = cm::RAdam{
      .learning_rate = 2e-3, .beta2 = 0.99, .schedule = {.decay_from = steps / 2, .decay_to = steps}};
  auto const go_on = [](cm::StepReport const&) { return true; };

  cm::Mlp const net{{.dimensions = 2, .width = 96}};  // one description, two forms:
  cm::Denoiser const D{net};                          // a denoiser D(x, t)
  cm::ConsistencyFunction const f{net};               // a consistency function f(x, t)

  cm::Trainer teacher{cm::DenoiserTraining{.f = D}, optimizer, D.initialize(cm::Key{42}), {.ema = 0.99}};
  teacher.run(ring, steps, go_on);

  cm::ConsistencyDistillation const method{.f = f,
                                           .velocity = cm::TeacherVelocity{D, teacher.averaged()},
                                           .solver = cm::Heun{},
                                           .metric = cm::L2{},
                                           .times = cm::GridTimes<cm::FixedSteps>{{.N = 18}}};
  cm::Trainer student{method, optimizer, teacher.averaged(), {.ema = 0.99, .clip = 1}};
  student.run(ring, steps, go_on);

  auto const many = cm::SampleSettings{.seed = 1, .count = 2000, .batch = 2000};
  auto const slow = cm::sample(D, teacher.averaged(), cm::OdeSampler<cm::Heun>{.steps = 18}, many);
  auto const fast = cm::sample(f, student.averaged(), cm::OneStep{}, many);
  std::printf("the data                     radius 0.700 +- 0.030\n");
  auto const learned = on_the_ring("the teacher, 35 evaluations", slow);
  return on_the_ring("the student, 1 evaluation", fast) && learned ? 0 : 1;
}
