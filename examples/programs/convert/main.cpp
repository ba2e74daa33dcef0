// SPDX-License-Identifier: MIT
// Writes into a model file of the training programs what network it is of, where it does not say so yet;
// its numbers stay as they are. Options: convert --help

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <consistency/checkpoint/model_file.hpp>

#include "../cifar10/choose.hpp"
#include "../run/recipe.hpp"
#include "../support/command_line.hpp"

namespace {

using namespace run;

struct ConvertOptions {
  std::filesystem::path model;
  std::vector<std::string> labels;
};

std::optional<int> parse_convert_options(ConvertOptions& o, int argc, char** argv) {
  CLI::App app{"Writes into a model file from before files said so what network it is of.", "convert"};
  app.add_option("model", o.model, "model.safetensors of a training program, which is rewritten")->required();
  app.add_option("--labels", o.labels, "Names of the classes 0, 1, …");
  return parse(app, {"model.safetensors --labels T-shirt Trouser Pullover"}, argc, argv);
}

void convert(ConvertOptions const& o, auto const& f, CheckpointFile const& file) {
  file.require_process(f.process());
  save_model(o.model, Model{f, file.parameters(f.network().parameters(), "averaged"), {.labels = o.labels}},
             file.step(), file.settings(), file.key());
}

}  // namespace

int main(int argc, char** argv) try {
  ConvertOptions options;
  if (auto const status = parse_convert_options(options, argc, argv)) return *status;
  auto const file = CheckpointFile{options.model};
  auto const recipe = as_built(to_recipe(file.settings(), options.model.string()));
  auto const with = [&]<class Subject>() {
    auto const network = build<typename Subject::Network>(recipe);
    if (recipe.method == "denoising")
      convert(options, Denoiser{network}, file);
    else
      convert(options, ConsistencyFunction{network}, file);
    return 0;
  };
  auto const status = recipe.points() ? with.template operator()<Points>() : cifar10::choose(recipe, with);
  std::printf("%s: %s\n", options.model.c_str(), CheckpointFile{options.model}.model().c_str());
  return status;
} catch (std::exception const& failure) {
  return failed("convert", argc, argv, failure);
}
