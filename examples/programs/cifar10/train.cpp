// SPDX-License-Identifier: MIT
// Trains a consistency model from nothing on CIFAR-10 or a folder of pictures.
// Options: cifar10_train --help

#include "../run/train_program.hpp"
#include "choose.hpp"
#include "presets.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program =
      Program{.name = "cifar10_train",
              .about = "Trains a one-step generative model without a teacher (CT).",
              .sample = "cifar10_sample",
              .presets = cifar10::training(),
              .examples = {"--data cifar-10-batches-bin --minutes 20 --out ct", "--resume --out ct"}};
  auto const choose = [](Recipe const& recipe, auto const& train) {
    require_one_of("method", recipe.method, {"gaps", "grid"});
    return cifar10::choose(recipe, [&]<class Subject>() {
      if (recipe.method == "gaps") return train.template operator()<Subject, GapTraining>();
      return train.template operator()<Subject, GridTraining>();
    });
  };
  return train_program(program, choose, argc, argv);
}
