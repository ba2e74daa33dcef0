// SPDX-License-Identifier: MIT
// Distils a denoiser into a one-step generative model (CD).
// Options: cifar10_distill --help

#include "../run/train_program.hpp"
#include "choose.hpp"
#include "presets.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program =
      Program{.name = "cifar10_distill",
              .about = "Distils a denoiser into a one-step generative model (CD).",
              .sample = "cifar10_sample",
              .presets = cifar10::distillation(),
              .teacher = true,
              .examples = {"--data cifar-10-batches-bin --teacher edm/model.safetensors --out cd"}};
  auto const choose = [](Recipe const& recipe, auto const& train) {
    require_one_of("method", recipe.method, {"distillation"});
    return cifar10::choose(
        recipe, [&]<class Subject>() { return train.template operator()<Subject, Distillation>(); });
  };
  return train_program(program, choose, argc, argv);
}
