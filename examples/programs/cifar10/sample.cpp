// SPDX-License-Identifier: MIT
// Draws a sheet of samples from a model of any of the programs that train.
// Options: cifar10_sample --help

#include "../run/sample_program.hpp"
#include "choose.hpp"

int main(int argc, char** argv) {
  auto const choose = [](run::Recipe const& recipe, auto const& draw) {
    return recipe.points() ? draw.template operator()<run::Points>() : cifar10::choose(recipe, draw);
  };
  return run::sample_program("cifar10_sample", choose, argc, argv);
}
