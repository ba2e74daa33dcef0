// SPDX-License-Identifier: MIT
// Trains a denoiser, the teacher of cifar10_distill (EDM).
// Options: cifar10_train_edm --help

#include "../run/train_program.hpp"
#include "choose.hpp"
#include "presets.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program = Program{.name = "cifar10_train_edm",
                               .about = "Trains a denoiser, the teacher of cifar10_distill (EDM).",
                               .sample = "cifar10_sample",
                               .presets = cifar10::denoising(),
                               .examples = {"--data cifar-10-batches-bin --minutes 20 --out edm"}};
  auto const choose = [](Recipe const& recipe, auto const& train) {
    require_one_of("method", recipe.method, {"denoising"});
    return cifar10::choose(recipe,
                           [&]<class Subject>() { return train.template operator()<Subject, Denoising>(); });
  };
  return train_program(program, choose, argc, argv);
}
