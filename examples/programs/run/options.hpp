// SPDX-License-Identifier: MIT
#pragma once

// The command line of the programs that train.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "data.hpp"
#include "preset.hpp"

namespace run {

/// What a training program is.
struct Program {
  char const* name;
  char const* about;
  char const* sample;                   ///< the program that draws from its models
  std::string data{};                   ///< what it trains on unless told; "": it must be told
  std::vector<Preset> presets;          ///< the first is taken unless told
  bool teacher = false;                 ///< it needs one
  std::vector<std::string> examples{};  ///< the options of a call each, for --help
};

struct Options {
  Recipe recipe{};
  std::filesystem::path out;
  std::string device = "cpu";  ///< where, not what: no part of the recipe
  unsigned threads = 0;        ///< 0: one per core
  bool resume = false, overwrite = false, quiet = false, dry_run = false;
  std::string called{};  ///< the program, as it was called
  std::string sample{};  ///< what draws from its models
  Program const* program = nullptr;
};

/// Applies NAME=VALUE settings. Throws config_error where one of them is no setting.
inline Recipe changed(Recipe const& recipe, std::vector<std::string> const& settings) {
  auto all = to_metadata(recipe);
  for (auto const& setting : settings) {
    auto const equals = setting.find('=');
    auto const at = all.find(setting.substr(0, equals));
    if (at == all.end() || equals == std::string::npos)
      fail<config_error>("--set", "no such setting", setting, "NAME=VALUE",
                         "report.html lists all settings.");
    at->second = setting.substr(equals + 1);
  }
  return to_recipe(all, "--set", "");
}

inline void add_device_options(CLI::App& app, std::string& device, unsigned& threads) {
  app.add_option("--device", device, "Where to compute: on the CPU or, by CUDA, on a GPU")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--threads", threads, "Threads (default: one per core); changes no bit of the result")
      ->check(CLI::Range(1U, 4096U));
}

/// Height and width of "64" or "48x64".
inline bool read_size(std::string const& text, Index& height, Index& width) {
  auto const cross = text.find('x');
  return from_text(text.substr(0, cross), height) &&
         from_text(cross == std::string::npos ? text : text.substr(cross + 1), width) && height > 0 &&
         width > 0;
}

/// The options in `o`; a status where the program is to end now.
inline std::optional<int> parse_options(Options& o, Program const& program, int argc, char** argv) try {
  CLI::App app{program.about, program.name};
  std::string data = program.data, preset = program.presets.front().name, size, presets;
  std::vector<std::string> names, lpips;
  for (auto const& [name, what, recipe] : program.presets) {
    names.push_back(name);
    presets += (presets.empty() ? "" : "; ") + name + ": " + what;
  }
  auto recipe = Recipe{};
  auto classes = Index{-1};
  std::vector<std::string> settings;
  auto* const data_option = app.add_option(
      "--data", data,
      "What to learn: fashion-mnist, checkerboard, an IDX file of images, the folder cifar-10-batches-bin "
      "(https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, MD5 c32a1d4ab5d03f1284b67883e8d87530), or a "
      "folder of PNG and JPEG pictures, whose sub-folders are classes");
  if (program.data.empty())
    data_option->required(false);
  else
    data_option->capture_default_str();
  app.add_option("--preset", preset, "Settings to begin with. " + presets)
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_option("--size", size,
                 "Pictures of a folder are cropped and resized to SIZE or HEIGHTxWIDTH pixels")
      ->type_name("SIZE");
  app.add_option("--minutes", recipe.minutes, "Time to train for")->check(CLI::Range(0.05, 1e6));
  app.add_option("--steps", recipe.steps, "Number of training steps, instead of --minutes")
      ->check(CLI::Range(Index{1}, Index{1} << 31));
  app.add_option("--out", o.out, "Folder for everything the run writes")->capture_default_str();
  app.add_option("--seed", recipe.seed, "Seed of all random numbers")->capture_default_str();
  app.add_option("--batch", recipe.batch, "Images per step")->check(CLI::Range(Index{1}, Index{1} << 20));
  app.add_option("--micro-batch", recipe.micro_batch,
                 "Images whose gradient is computed at a time: less memory, the same step")
      ->check(CLI::Range(Index{1}, Index{1} << 20));
  app.add_option("--classes", classes,
                 "Learn what class each image is of too, so that images of a class can be drawn: their "
                 "number (without one: 10)")
      ->expected(0, 1)
      ->default_str("10")
      ->check(CLI::Range(Index{1}, Index{1} << 16));
  if (program.teacher) {
    app.add_option("--teacher", recipe.teacher,
                   "The teacher's weights: model.safetensors of a run of train_edm, or EDM's own");
  }
  app.add_option(
         "--lpips", lpips,
         "For metric=lpips: the weights of torchvision's VGG16 and of LPIPS's heads (v0.1), as safetensors")
      ->expected(2);
  add_device_options(app, o.device, o.threads);
  app.add_option("--set", settings,
                 "NAME=VALUE: any setting of the recipe, e.g. channels=48 or learning_rate=5e-4")
      ->type_name("TEXT");
  app.add_flag("--overwrite", o.overwrite, "Start again where --out holds an unfinished run");
  app.add_flag("--quiet", o.quiet, "No progress, only the summary");
  app.add_flag("--resume", o.resume, "Go on with the run in --out, with all of its settings, on any device");
  app.add_flag("--dry-run", o.dry_run, "Say what the run would cost, and train nothing");
  app.final_callback([&] {
    for (auto const* const name :
         {"--data", "--preset", "--size", "--minutes", "--steps", "--seed", "--batch", "--micro-batch",
          "--classes", "--lpips", "--set", "--overwrite"})
      if (o.resume && app.count(name) > 0)
        throw CLI::ValidationError{name, "has no place beside --resume: a run keeps its settings"};
    if (app.count("--minutes") > 0 && app.count("--steps") > 0)
      throw CLI::ValidationError{"--steps", "has no place beside --minutes"};
    if (data.empty() && !o.resume) throw CLI::RequiredError{"--data"};
    if (app.count("--classes") > 0 && data == "checkerboard")
      throw CLI::ValidationError{"--classes", "has no place beside --data checkerboard, which has none"};
  });
  if (auto const status = parse(app, program.examples, argc, argv)) return status;

  o.program = &program;
  o.called = argc > 0 ? argv[0] : program.name;
  o.sample = is_command(argc, argv) ? "consistency sample" : program.sample;
  if (o.resume) return std::nullopt;
  auto const chosen = std::find(names.begin(), names.end(), preset) - names.begin();
  o.recipe = program.presets[static_cast<std::size_t>(chosen)].recipe;
  auto& r = o.recipe;
  if (data == "checkerboard") {
    r.data = data, r.images = "", r.height = r.width = r.colours = 0;
    if (app.count("--batch") == 0) r.batch = 512;
  } else {
    r.images = data == "fashion-mnist" ? std::string{fashion_mnist} : absolute_path(data);
    r.data = kind_of_images(r.images);
  }
  if (r.data == "pictures") r.height = r.width = 0, r.colours = 3;
  if (!size.empty() && (r.data != "pictures" || !read_size(size, r.height, r.width)))
    fail<config_error>("--size", r.data == "pictures" ? "size" : "beside --data " + data, size,
                       "64 or 48x64, for a folder of pictures");
  if (app.count("--batch") > 0) r.batch = recipe.batch;
  if (app.count("--micro-batch") > 0) r.micro_batch = recipe.micro_batch;
  if (app.count("--classes") > 0) r.classes = std::max<Index>(1, classes);
  if (!recipe.teacher.empty()) r.teacher = absolute_path(recipe.teacher);
  if (!lpips.empty()) r.lpips = absolute_path(lpips[0]) + "," + absolute_path(lpips[1]), r.metric = "lpips";
  r.seed = recipe.seed;
  if (app.count("--steps") > 0) r.steps = recipe.steps, r.minutes = 0;
  if (app.count("--minutes") > 0) r.minutes = recipe.minutes, r.steps = 0;
  r = changed(r, settings);
  r.dry_run = o.dry_run;
  return std::nullopt;
} catch (config_error const& failure) {
  return failed(program.name, argc, argv, failure), 2;
}

}  // namespace run
