// SPDX-License-Identifier: MIT
#pragma once

// The main function of the programs that draw from a model.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <consistency/checkpoint/model_file.hpp>
#include <consistency/io/apng.hpp>
#include <consistency/io/png.hpp>

#include "../support/device.hpp"
#include "../support/trace.hpp"
#include "data.hpp"
#include "drawing.hpp"
#include "options.hpp"
#include "provenance.hpp"

namespace run {

struct SampleOptions {
  std::filesystem::path model = "demo/model.safetensors", out = "grid.png";
  Index steps = 0;                ///< evaluations; 0: the fewest that are shown of such a model
  Index count = 0;                ///< 0: as many as a frame of the training has
  std::optional<Index> of_class;  ///< none: one class in each row
  double guidance = 1;
  std::uint64_t seed = 0;
  std::filesystem::path trajectory;
  std::string device = "cpu", trace;
  unsigned threads = 0;
  bool json = false;
};

inline std::optional<int> parse_sample_options(SampleOptions& o, char const* name, int argc, char** argv) {
  CLI::App app{"Draws samples from a model that a training program has written.", name};
  app.add_option("--model", o.model, "model.safetensors or a checkpoint")->capture_default_str();
  app.add_option("--steps", o.steps,
                 "Evaluations of the network per sample (default: 1, or 11 of a denoiser)")
      ->check(CLI::Range(1, 1000));
  app.add_option("--seed", o.seed, "Seed of the noise")->capture_default_str();
  app.add_option("--count", o.count, "Number of samples (default: 64 images or 2048 points)")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--class", o.of_class,
                 "Class of the images (default: one in each row), of a model of --classes")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--guidance", o.guidance,
                 "How much the class counts: 0 not at all, 1 as learned, above 1 more")
      ->capture_default_str();
  app.add_option("--out", o.out, "PNG file to write")->capture_default_str();
  app.add_option("--trajectory", o.trajectory,
                 "Animated PNG of what each evaluation takes the first 64 samples for");
  app.add_flag("--json", o.json, "Say what was drawn as a line of JSON");
  add_device_options(app, o.device, o.threads);
  add_trace_option(app, o.trace);
  return parse(
      app, {"--model demo/model.safetensors --out grid.png", "--steps 2 --seed 7 --class 3 --guidance 1.5"},
      argc, argv);
}

/// Draws from f or D.
template <class Subject, class X>
int draw(SampleOptions const& o, auto const& model, Recipe const& recipe) {
  auto const& f = model.f;
  if (o.of_class && *o.of_class >= recipe.classes)
    fail<config_error>(o.model.string(), "--class", to_text(*o.of_class),
                       recipe.classes == 0 ? "a model that was trained with --classes"
                                           : "0 to " + to_text(recipe.classes - 1));
  auto const theta = to<typename X::Backend>(model.theta);
  auto const count = o.count > 0 ? o.count : o.of_class ? Index{64} : Subject::preview(recipe);
  auto const condition = condition_of(recipe, count, Subject::columns(recipe), o.of_class.value_or(-1));
  auto const settings = SampleSettings{.seed = o.seed, .count = count, .condition = condition};
  auto const evaluations = o.steps > 0 ? o.steps : shown_evaluations(f).front();
  auto const one_class_by_row = recipe.classes > 0 && !o.of_class;
  auto const layout = one_class_by_row ? recipe : Recipe{.data = recipe.data};
  auto const terminal = ::isatty(STDERR_FILENO) == 1;
  std::vector<Image> frames;
  auto const watch = Stopwatch{};
  auto const observe = [&](auto const& e) {
    auto const drawn = e.first + e.x.shape()[0];
    if (terminal && e.count > e.x.shape()[0] && e.number == 0)
      std::fprintf(stderr, "\r%s of %s%s", grouped(drawn).c_str(), grouped(e.count).c_str(),
                   drawn == e.count ? "\n" : "");
    if (!o.trajectory.empty() && e.first == 0)
      frames.push_back(Subject::draw(to<Cpu>(e.estimate), 3, layout));
  };
  auto const steps = sampler(f, evaluations);
  auto const samples = traced(o.trace, theta, [&] {
    return to<Cpu>(o.guidance == 1 ? sample(f, theta, steps, settings, observe)
                                   : sample(Guided{f, o.guidance}, theta, steps, settings, observe));
  });
  auto const seconds = watch.seconds();
  if (!o.trajectory.empty()) write_apng(o.trajectory, frames, 150, 1500);
  auto const from = Provenance{o.model, o.seed, evaluations, times_of(steps, f.process())};
  write_png(o.out, Subject::draw(samples, 3, layout), from.texts());
  if (o.json) {
    auto said = from.json();
    said.update({{"out", o.out}, {"count", count}, {"seconds", seconds}});
    std::printf("%s\n", said.dump(-1, ' ', true).c_str());
    return 0;
  }
  std::printf("%s: %s %s, %s evaluation%s each, %s\n", o.out.c_str(), grouped(count).c_str(), Subject::noun,
              grouped(evaluations).c_str(), evaluations == 1 ? "" : "s", duration_text(seconds).c_str());
  return 0;
}

/// choose(recipe, work): a program's own choice among the networks that it is built for, as a call of
/// work.operator()<Subject>().
template <class Choose>
int sample_program(char const* name, Choose const& choose, int argc, char** argv) try {
  SampleOptions options;
  if (auto const status = parse_sample_options(options, name, argc, argv)) return *status;
  return on_device(options.device, [&]<class X>() {
    if (options.threads > 0) set_threads(options.threads);
    auto const file = CheckpointFile{options.model};
    auto const recipe = to_recipe(file.settings(), options.model.string());
    return choose(recipe, [&]<class Subject>() {
      using Network = typename Subject::Network;
      if (recipe.method == "denoising")
        return draw<Subject, X>(options, load_model<Denoiser<Network>>(file), recipe);
      return draw<Subject, X>(options, load_model<ConsistencyFunction<Network>>(file), recipe);
    });
  });
} catch (std::exception const& failure) {
  return failed(name, argc, argv, failure);
}

}  // namespace run
