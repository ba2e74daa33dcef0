// SPDX-License-Identifier: MIT
// Trains the small classifier whose features fashion_mnist_evaluate compares.
// Options: fashion_mnist_classifier --help

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include <consistency/consistency.hpp>
#include <consistency/data/labelled_batches.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/image_classifier.hpp>
#include <consistency/training/classification.hpp>

#include "../run/judge.hpp"
#include "../support/command_line.hpp"
#include "../support/data_set.hpp"
#include "../support/progress.hpp"

namespace {

using namespace consistency;
using namespace example;

struct ClassifierOptions {
  std::string data = fashion_mnist;
  std::filesystem::path out = "classifier.safetensors";
  Index steps = 4000, batch = 128;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  bool quiet = false;
};

std::optional<int> parse_classifier_options(ClassifierOptions& o, int argc, char** argv) {
  CLI::App app{"Trains a small classifier, for features to measure samples by.", "fashion_mnist_classifier"};
  app.add_option("--data", o.data, "IDX file of images, beside one of their labels")->capture_default_str();
  app.add_option("--steps", o.steps, "Training steps")
      ->check(CLI::Range(Index{1}, Index{1} << 31))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "Images per step")
      ->check(CLI::Range(Index{1}, Index{1} << 20))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of all random numbers")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads (default: one per core)")->check(CLI::Range(1U, 4096U));
  app.add_option("--out", o.out, "Weights to write, as safetensors")->capture_default_str();
  app.add_flag("--quiet", o.quiet, "No progress, only the summary");
  return parse(app, {"--out classifier.safetensors"}, argc, argv);
}

int train(ClassifierOptions const& o) {
  if (o.threads > 0) set_threads(o.threads);
  auto images = read_images(o.data, true);
  auto const network = ImageClassifier{{.image = {images.height, images.width, images.channels}}};
  auto const f = Classifier{network};
  auto batches = LabelledImageBatches{std::move(images), network.classes(), o.batch, Key{o.seed}};
  auto const rate = RateSchedule{.decay_from = o.steps / 2, .decay_to = o.steps};
  Trainer trainer{Classification{.f = f}, Adam{.learning_rate = 2e-3, .schedule = rate},
                  f.initialize(Key{o.seed}), TrainerSettings{.key = {o.seed}}};
  auto const watch = Stopwatch{};
  {
    Progress progress{0, o.steps, o.batch, o.quiet};
    trainer.run(batches, o.steps, [&](StepReport const& report) { return progress.update(report), true; });
  }
  write_torch_parameters(o.out, trainer.averaged());
  auto const test_name = test_images_of(o.data);
  auto const test = read_images(test_name, true);
  auto const judge = run::Judge{network, trainer.averaged()};
  std::printf("%s: %s parameters, %s steps in %s; %.2f %% of the images of %s recognised\n", o.out.c_str(),
              grouped(network.parameters().count()).c_str(), grouped(o.steps).c_str(),
              clock_text(watch.seconds()).c_str(), 100 * judge.look_at(test).accuracy(test.labels),
              std::filesystem::path{test_name}.filename().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  ClassifierOptions options;
  if (auto const status = parse_classifier_options(options, argc, argv)) return *status;
  return train(options);
} catch (std::exception const& failure) {
  return failed("fashion_mnist_classifier", argc, argv, failure);
}
