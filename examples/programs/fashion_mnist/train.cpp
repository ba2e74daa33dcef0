// SPDX-License-Identifier: MIT
// Trains a consistency model from nothing on Fashion-MNIST, or on a checkerboard of points, in minutes on a
// CPU or a GPU. Options: fashion_mnist_train --help

#include "../run/train_program.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program =
      Program{.name = "fashion_mnist_train",
              .about = "Trains a one-step generative model on Fashion-MNIST and shows what it has learned.",
              .sample = "fashion_mnist_sample",
              .data = "fashion-mnist",
              .presets = {{"minutes", "garments in ten minutes on two cores", {.minutes = 10}}},
              .examples = {"--minutes 10 --out demo", "--data FOLDER --size 32 --minutes 60 --out own",
                           "--resume --out demo"}};
  auto const choose = [](Recipe const& recipe, auto const& train) {
    require_one_of("method", recipe.method, {"gaps"});
    require_one_of("network", recipe.network, {"unet"});
    return recipe.points() ? train.template operator()<Points, GapTraining>()
                           : train.template operator()<Pictures<UNet>, GapTraining>();
  };
  return train_program(program, choose, argc, argv);
}
