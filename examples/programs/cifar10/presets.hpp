// SPDX-License-Identifier: MIT
#pragma once

// The recipes of the CIFAR-10 programs: "paper" are those of Song et al. 2023 (Table 3) and Karras et al.
// 2022 (Table 7), "small" ones for minutes on a CPU.

#include <vector>

#include "../run/preset.hpp"

namespace cifar10 {

using run::Preset, run::Recipe;

/// What the paper's recipes share: NCSN++, batches of 512, mirrored images.
inline Recipe paper(char const* method) {
  return {.data = "cifar-10",
          .height = 32,
          .width = 32,
          .colours = 3,
          .batch = 512,
          .without_class = 0,
          .flips = 0.5,
          .method = method,
          .metric = "lpips",
          .network = "ncsnpp",
          .channels = 128,
          .multipliers = {2, 2, 2},
          .blocks = 4,
          .attention = {16},
          .heads = 1,
          .patch = 1,
          .embedding = 512,
          .beta2 = 0.999,
          .decay_from = 1,
          .clip = 0,
          .ema_window = 0};
}

/// A network of 1.4 M parameters that sees 2 × 2 pixels at a time.
inline Recipe small(char const* method) {
  return {.data = "cifar-10",
          .height = 32,
          .width = 32,
          .colours = 3,
          .batch = 64,
          .flips = 0.5,
          .minutes = 20,
          .method = method,
          .channels = 48,
          .attention = {8},
          .embedding = 192};
}

/// EDM's teacher for CIFAR-10: 200 million images, the learning rate rising over the first ten.
inline std::vector<Preset> denoising() {
  auto all = std::vector<Preset>{
      {"small", "minutes on a CPU", small("denoising")},
      {"paper", "NCSN++ as in Karras et al. 2022, 200 million images", paper("denoising")}};
  auto& s = all[0].recipe;
  s.law_mean = -1.2, s.law_deviation = 1.2;
  auto& p = all[1].recipe;
  p.augmentation = 0.12, p.augmentation_labels = 9;
  p.law_mean = -1.2, p.law_deviation = 1.2;
  p.dropout = 0.13;
  p.learning_rate = 1e-3;
  p.steps = 200'000'000 / 512;
  p.warm_up = 10'000'000 / 512;
  p.half_life = 500'000;
  return all;
}

inline std::vector<Preset> distillation() {
  auto all =
      std::vector<Preset>{{"small", "minutes on a CPU", small("distillation")},
                          {"paper", "CD of Song et al. 2023, Table 3, 800,000 steps", paper("distillation")}};
  auto& s = all[0].recipe;
  s.N = 0, s.denoising = 0;   // the teacher's weights denoise already
  s.kappa = 0, s.stages = 2;  // no step of Heun's method over most of t, which leaves noise
  s.learning_rate = 3e-4;
  auto& p = all[1].recipe;
  p.N = 18;
  p.learning_rate = 4e-4;
  p.steps = 800'000;
  p.ema = 0.9999;
  return all;
}

inline std::vector<Preset> training() {
  auto all = std::vector<Preset>{{"small", "minutes on a CPU", small("gaps")},
                                 {"paper", "CT of Song et al. 2023, Table 3, 800,000 steps", paper("grid")}};
  auto& p = all[1].recipe;
  p.s0 = 2, p.s1 = 150, p.mu0 = 0.9;
  p.learning_rate = 4e-4;
  p.steps = 800'000;
  p.ema = 0.9999;
  return all;
}

}  // namespace cifar10
