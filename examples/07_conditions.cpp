// SPDX-License-Identifier: MIT
// A policy of a robot: from what it observes, a place (2 numbers), to what it does, a step (2 numbers). Where
// an obstacle is in the way it may pass on either side, so that the mean of what it has seen would be the one
// wrong answer.
#include <cmath>
#include <cstdio>

#include <consistency/consistency.hpp>

namespace cm = consistency;
using X = cm::Tensor<float>;

// A condition of one's own: a place, and whether it is in front of the obstacle. Anything with features() is
// one.
struct Place {
  X xy;  // (n, 2)

  X features() const {
    X const near = 1.0 - 1.0 / (1.0 + exp(-20.0 * (sum_per_sample(square(xy)) - 0.25)));  // (n, 1)
    return concat(cm::Observations{xy}.features(), near);                                 // (n, 4)
  }
};
static_assert(cm::ConditionModel<Place>);

// What was seen at step k: far from the obstacle straight on, (0.5, 0); before it left or right, (0.3, ±0.4).
cm::Batch<X> demonstrations(cm::Index k) {
  constexpr cm::Index n = 256;
  auto const at = cm::Counter{.step = static_cast<std::uint32_t>(k)};
  X const xy = 2.0 * cm::uniform<float>({n, 2}, cm::Key{1}, at) - 1.0;  // (n, 2)
  auto const side = cm::uniform<float>({n, 1}, cm::Key{2}, at);         // (n, 1)
  X action = 0.02 * cm::normal<float>({n, 2}, cm::Key{3}, at);          // (n, 2)
  for (cm::Index i = 0; i < n; ++i) {
    auto const near = std::hypot(xy(i, 0), xy(i, 1)) < 0.5F;
    action.mutable_data()[2 * i] += near ? 0.3F : 0.5F;
    action.mutable_data()[2 * i + 1] += near ? (side[i] < 0.5F ? -0.4F : 0.4F) : 0.0F;
  }
  return {action, Place{xy}};
}

int main() {
  constexpr cm::Index steps = 3000;
  cm::Mlp const net{{.dimensions = 2, .width = 96, .condition = {.features = 4}}};
  cm::ConsistencyFunction const f{net};
  cm::Trainer trainer{
      cm::ConsistencyTraining{.f = f,
                              .metric = cm::PseudoHuber{.c = 0.01},
                              .times = cm::GapTimes{.denoising = 400, .stage_steps = 400},
                              .weighting = cm::InverseGapWeighting{}},
      cm::RAdam{.learning_rate = 2e-3, .beta2 = 0.99, .schedule = {.decay_from = 2000, .decay_to = steps}},
      f.initialize(cm::Key{42}),
      {.ema = 0.99, .clip = 1}};
  trainer.run(demonstrations, steps, [](cm::StepReport const&) { return true; });

  // 200 actions at one place before the obstacle, and 200 far from it, in one evaluation each.
  auto const actions = [&](float x, float y) {
    X place{{200, 2}};
    for (cm::Index i = 0; i < 200; ++i) place.mutable_data()[2 * i] = x, place.mutable_data()[2 * i + 1] = y;
    return cm::sample(f, trainer.averaged(), cm::OneStep{}, {.count = 200, .condition = Place{place}});
  };
  auto const near = actions(0.1F, -0.1F), far = actions(0.8F, 0.7F);
  int left = 0, right = 0, straight = 0;
  for (cm::Index i = 0; i < 200; ++i) {
    left += near(i, 1) > 0.25F, right += near(i, 1) < -0.25F;
    straight += std::abs(far(i, 1)) < 0.15F && std::abs(far(i, 0) - 0.5F) < 0.15F;
  }
  std::printf("before the obstacle: %d left, %d right of 200; far from it: %d straight on\n", left, right,
              straight);
  return left > 50 && right > 50 && straight > 150 ? 0 : 1;
}
