// SPDX-License-Identifier: MIT
// Draws a sheet of samples from a model of cifar10_train, cifar10_distill or cifar10_train_edm.
// Options: cifar10_sample --help

#include "../run/sample_program.hpp"
#include "choose.hpp"

int main(int argc, char** argv) {
  auto const choose = [](run::Recipe const& recipe, auto const& draw) {
    return cifar10::choose(recipe, draw);
  };
  return run::sample_program("cifar10_sample", choose, argc, argv);
}
