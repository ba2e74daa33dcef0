// SPDX-License-Identifier: MIT
// Draws a sheet of samples from a model that fashion_mnist_train has written.
// Options: fashion_mnist_sample --help

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/io/png.hpp>

#include "../support/device.hpp"
#include "../support/text.hpp"
#include "../support/trace.hpp"
#include "options.hpp"
#include "subject.hpp"

namespace {

using namespace fashion;

struct SampleOptions {
  std::filesystem::path model = "demo/model.safetensors", out = "grid.png";
  Index steps = 1;
  Index count = 0;                ///< 0: as many as a frame of the training has
  std::optional<Index> of_class;  ///< none: one class in each row
  double guidance = 1;
  std::uint64_t seed = 0;
  std::string device = "cpu", trace;
  unsigned threads = 0;
};

std::optional<int> parse_sample_options(SampleOptions& o, int argc, char** argv) {
  CLI::App app{"Draws samples from a model of fashion_mnist_train.", "fashion_mnist_sample"};
  app.add_option("--model", o.model, "model.safetensors or a checkpoint")->capture_default_str();
  app.add_option("--steps", o.steps, "Evaluations per sample")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of the noise")->capture_default_str();
  app.add_option("--count", o.count, "Number of samples (default: 64 images or 2048 points)")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--class", o.of_class,
                 "Class of the images, 0 to 9 (default: one in each row), of a model of --classes");
  app.add_option("--guidance", o.guidance,
                 "How much the class counts: 0 not at all, 1 as learned, above 1 more")
      ->capture_default_str();
  app.add_option("--out", o.out, "PNG file to write")->capture_default_str();
  add_device_option(app, o.device);
  add_trace_option(app, o.trace);
  app.add_option("--threads", o.threads, "Threads (default: one per core)")->check(CLI::Range(1U, 4096U));
  return parse(app, argc, argv);
}

/// The class that was asked for, or all in rows. Throws config_error for a class of a model that knows none.
Condition<Tensor<float>> condition(SampleOptions const& o, Recipe const& recipe, Index count, Index columns) {
  if (!o.of_class) return classes_by_row(recipe, count, columns);
  if (recipe.classes == 0)
    fail<config_error>(o.model.string(), "--class", to_text(*o.of_class),
                       "a model of fashion_mnist_train --classes");
  return ClassLabels{.labels = std::vector(static_cast<std::size_t>(count), *o.of_class),
                     .classes = recipe.classes};
}

template <class Subject, class X>
void draw(SampleOptions const& o, CheckpointFile const& file, Recipe const& recipe) {
  auto const f = ConsistencyFunction{Subject::network(recipe)};
  file.require_process(f.process());
  auto const theta = to<typename X::Backend>(file.parameters(f.network().parameters(), "averaged"));
  auto const count = o.count > 0 ? o.count : o.of_class ? Index{64} : Subject::preview(recipe);
  auto const settings = SampleSettings{
      .seed = o.seed, .count = count, .condition = condition(o, recipe, count, Subject::columns(recipe))};
  auto const watch = Stopwatch{};
  auto const samples = traced(o.trace, theta, [&] {
    auto const steps = sampler(o.steps, f.process());
    return to<Cpu>(o.guidance == 1 ? sample(f, theta, steps, settings)
                                   : sample(Guided{f, o.guidance}, theta, steps, settings));
  });
  auto const seconds = watch.seconds();
  write_png(o.out, Subject::draw(samples, 3, recipe));
  std::printf("%s: %s %s, %s evaluation%s each, %s\n", o.out.c_str(), grouped(count).c_str(), Subject::noun,
              grouped(o.steps).c_str(), o.steps == 1 ? "" : "s", duration_text(seconds).c_str());
}

template <class X>
int run(SampleOptions const& options) {
  if (options.threads > 0) set_threads(options.threads);
  auto const file = CheckpointFile{options.model};
  auto const recipe = as_built(to_recipe(file.settings(), options.model.string()));
  recipe.points() ? draw<Points, X>(options, file, recipe) : draw<Pictures, X>(options, file, recipe);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    SampleOptions options;
    if (auto const status = parse_sample_options(options, argc, argv)) return *status;
    return on_device(options.device, [&]<class X>() { return run<X>(options); });
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "fashion_mnist_sample: %s\n", failure.what());
    return 1;
  }
}
