// SPDX-License-Identifier: MIT
// Measures samples of a model against Fashion-MNIST by the features of the classifier that
// fashion_mnist_classifier trains. Options: fashion_mnist_evaluate --help

#include <consistency/network/image_classifier.hpp>

#include "../run/evaluate_program.hpp"

int main(int argc, char** argv) {
  using namespace run;
  auto const program = EvaluateProgram{
      .name = "fashion_mnist_evaluate",
      .about = "Measures samples against Fashion-MNIST in the features of a small classifier.",
      .data = "IDX file of training images, beside their labels and the files of test images (t10k)",
      .features = "Weights that fashion_mnist_classifier has written",
      .example = "--model demo/model.safetensors --features classifier.safetensors --steps 1 2",
      .default_data = fashion_mnist};
  auto const read = [](std::filesystem::path const& data) {
    return std::pair{read_images(data.string(), true), read_images(test_images_of(data.string()), true)};
  };
  auto const network = [](ImageSet const& set) {
    return ImageClassifier{{.image = {set.height, set.width, set.channels}}};
  };
  auto const choose = [](Recipe const& recipe, auto const& work) {
    if (recipe.points()) fail<config_error>("--model", "model", "one of points", "one of images");
    return work.template operator()<Pictures<UNet>>();
  };
  return evaluate_program(program, {}, read, network, choose, argc, argv);
}
