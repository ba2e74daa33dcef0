// SPDX-License-Identifier: MIT
// Draws a sheet of samples from a model that fashion_mnist_train has written.
// Options: fashion_mnist_sample --help

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

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
  Index count = 0;  ///< 0: as many as a frame of the training has
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
  app.add_option("--out", o.out, "PNG file to write")->capture_default_str();
  add_device_option(app, o.device);
  add_trace_option(app, o.trace);
  app.add_option("--threads", o.threads, "Threads (default: one per core)")->check(CLI::Range(1U, 4096U));
  return parse(app, argc, argv);
}

template <class Subject, class X>
void draw(SampleOptions const& o, CheckpointFile const& file, Recipe const& recipe) {
  auto const f = ConsistencyFunction{Subject::network(recipe)};
  auto const theta = to<typename X::Backend>(file.parameters(f.network().parameters(), "averaged"));
  auto const count = o.count > 0 ? o.count : Subject::preview;
  auto const watch = Stopwatch{};
  auto const samples = traced(o.trace, theta, [&] {
    return to<Cpu>(sample(f, theta, sampler(o.steps), {.seed = o.seed, .count = count}));
  });
  auto const seconds = watch.seconds();
  write_png(o.out, Subject::draw(samples, 3));
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
