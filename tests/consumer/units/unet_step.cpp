// SPDX-License-Identifier: MIT
// A training step of a U-Net and a sample: all of their element-wise chains are in the compiled core.
#include <consistency/consistency.hpp>

namespace cm = consistency;

int main() {
  cm::ConsistencyFunction const f{cm::UNet{{.channels = 8, .multipliers = {1, 2}, .image = {8, 8, 1}}}};
  cm::Trainer trainer{cm::ConsistencyTraining{.f = f}, cm::RAdam{}, f.initialize(cm::Key{1})};
  trainer.step(cm::normal<float>({2, 8, 8, 1}, cm::Key{2}));
  return cm::sample(f, trainer.averaged(), cm::OneStep{}, {.count = 1}).count() == 64 ? 0 : 1;
}
