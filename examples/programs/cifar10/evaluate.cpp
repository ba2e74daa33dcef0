// SPDX-License-Identifier: MIT
// Measures samples of a model against CIFAR-10 by the features of a trained ResNet-20, and says how many of
// the test images, and of the samples of classes, that network recognises. Options: cifar10_evaluate --help

#include <consistency/network/resnet20.hpp>

#include "../run/evaluate_program.hpp"
#include "choose.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program = EvaluateProgram{
      .name = "cifar10_evaluate",
      .about = "Measures samples against CIFAR-10 in the features of a ResNet-20.",
      .data = "The folder cifar-10-batches-bin",
      .features = "Weights of akamaster/pytorch_resnet_cifar10's resnet20, as safetensors or .th",
      .example = "--model cd/model.safetensors --data cifar-10-batches-bin --features resnet20.safetensors"};
  auto const read = [](std::filesystem::path const& data) {
    return std::pair{read_cifar10_folder(data, Cifar10Split::train),
                     read_cifar10_folder(data, Cifar10Split::test)};
  };
  return evaluate_program(
      program, {.ignored = {"*.num_batches_tracked"}}, read, [](ImageSet const&) { return ResNet20{}; },
      [](Recipe const& recipe, auto const& work) { return cifar10::choose(recipe, work); }, argc, argv);
}
