// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "recipe.hpp"

namespace fashion {

struct Options {
  Recipe recipe;
  double minutes = 10;  ///< what K is computed from, unless recipe.steps is given
  std::filesystem::path out = "demo";
  std::string device = "cpu";  ///< where, not what: no part of the recipe
  unsigned threads = 0;        ///< 0: one per core
  bool resume = false, overwrite = false, quiet = false;
  std::string program = "fashion_mnist_train";  ///< as it was called
};

/// Applies NAME=VALUE settings; 2 where one of them is no setting.
inline std::optional<int> change(Recipe& recipe, std::vector<std::string> const& settings) try {
  auto all = to_metadata(recipe);
  for (auto const& setting : settings) {
    auto const equals = setting.find('=');
    auto const at = all.find(setting.substr(0, equals));
    if (at == all.end() || equals == std::string::npos)
      fail<config_error>("--set", "no such setting", setting, "NAME=VALUE",
                         "report.html lists all settings.");
    at->second = setting.substr(equals + 1);
  }
  recipe = to_recipe(all, "--set", "");
  return std::nullopt;
} catch (error const& failure) {
  std::fprintf(stderr, "fashion_mnist_train: %s\n", failure.what());
  return 2;
}

inline void add_device_option(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "Where to compute: on the CPU or, by CUDA, on a GPU")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
}

inline std::optional<int> parse_options(Options& o, int argc, char** argv) {
  CLI::App app{"Trains a one-step generative model on Fashion-MNIST and shows what it has learned.",
               "fashion_mnist_train"};
  std::string data = "fashion-mnist", images;
  std::uint64_t seed = 0;
  Index batch = 0, steps = 0;
  std::vector<std::string> settings;
  app.add_option("--data", data, "What to learn")
      ->check(CLI::IsMember({"fashion-mnist", "checkerboard"}))
      ->capture_default_str();
  app.add_option("--images", images,
                 "IDX file of images, plain or .gz (default: Debian's dataset-fashion-mnist)");
  app.add_option("--minutes", o.minutes, "Time to train for")
      ->check(CLI::Range(0.05, 1e5))
      ->capture_default_str();
  app.add_option("--steps", steps, "Number of training steps, instead of --minutes")
      ->check(CLI::Range(Index{1}, Index{1} << 31));
  app.add_option("--out", o.out, "Folder for everything the run writes")->capture_default_str();
  app.add_option("--seed", seed, "Seed of all random numbers")->capture_default_str();
  app.add_option("--batch", batch, "Images per step (default: 64; 512 points for the checkerboard)")
      ->check(CLI::Range(Index{1}, Index{1} << 20));
  bool classes = false;
  app.add_flag("--classes", classes,
               "Learn what class each image is of too, so that images of a class can be drawn");
  add_device_option(app, o.device);
  app.add_option("--threads", o.threads, "Threads (default: one per core); changes no bit of the result")
      ->check(CLI::Range(1U, 4096U));
  app.add_option("--set", settings,
                 "NAME=VALUE: any setting of the recipe, e.g. channels=48 or learning_rate=5e-4")
      ->type_name("TEXT");
  app.add_flag("--overwrite", o.overwrite, "Start again where --out holds an unfinished run");
  app.add_flag("--quiet", o.quiet, "No progress, only the summary");
  app.add_flag("--resume", o.resume, "Go on with the run in --out, with all of its settings, on any device");
  app.final_callback([&] {
    for (auto const* const name : {"--data", "--images", "--minutes", "--steps", "--seed", "--batch",
                                   "--classes", "--set", "--overwrite"})
      if (o.resume && app.count(name) > 0)
        throw CLI::ValidationError{name, "has no place beside --resume: a run keeps its settings"};
    if (classes && data != "fashion-mnist")
      throw CLI::ValidationError{"--classes", "has no place beside --data " + data + ", which has none"};
    if (app.count("--minutes") > 0 && app.count("--steps") > 0)
      throw CLI::ValidationError{"--steps", "has no place beside --minutes"};
  });
  if (auto const status = parse(app, argc, argv)) return status;

  if (argc > 0) o.program = argv[0];
  o.recipe = Recipe::for_data(data);
  if (!images.empty() && !o.recipe.points()) o.recipe.images = absolute_path(images);
  if (batch > 0) o.recipe.batch = batch;
  if (classes) o.recipe.classes = 10;
  o.recipe.seed = seed;
  o.recipe.steps = steps;
  return change(o.recipe, settings);
}

}  // namespace fashion
