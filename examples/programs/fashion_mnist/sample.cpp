// SPDX-License-Identifier: MIT
// Draws a sheet of samples from a model that fashion_mnist_train has written.
// Options: fashion_mnist_sample --help

#include "../run/sample_program.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const choose = [](Recipe const& recipe, auto const& draw) {
    return recipe.points() ? draw.template operator()<Points>() : draw.template operator()<Pictures<UNet>>();
  };
  return sample_program("fashion_mnist_sample", choose, argc, argv);
}
