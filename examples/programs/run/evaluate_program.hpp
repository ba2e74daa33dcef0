// SPDX-License-Identifier: MIT
#pragma once

// The main function of the programs that measure samples against a data set.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/checkpoint/model_file.hpp>
#include <consistency/evaluation/frechet_distance.hpp>
#include <consistency/evaluation/inception_score.hpp>
#include <consistency/evaluation/kernel_distance.hpp>
#include <consistency/evaluation/mind.hpp>
#include <consistency/evaluation/neighbours.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/png.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "../support/command_line.hpp"
#include "data.hpp"
#include "drawing.hpp"
#include "feature_networks.hpp"
#include "judge.hpp"

namespace run {

struct EvaluateOptions {
  std::filesystem::path model, data, features, neighbours;
  std::string network = "classifier";
  std::vector<Index> steps;
  Index count = 10000, references = 0;
  double guidance = 1;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  bool json = false;
};

/// What an evaluating program is. `features` and `data` are what --help says of these options, `example`
/// those of a call.
struct EvaluateProgram {
  char const *name, *about, *data, *features, *example;
  std::filesystem::path default_data{};
};

inline std::optional<int> parse_evaluate_options(EvaluateOptions& o, EvaluateProgram const& program, int argc,
                                                 char** argv) {
  CLI::App app{program.about, program.name};
  o.data = program.default_data;
  auto* const data = app.add_option("--data", o.data, program.data);
  if (program.default_data.empty())
    data->required();
  else
    data->capture_default_str();
  app.add_option("--features", o.features,
                 std::string{program.features} + ", or of the network that --network names")
      ->required();
  app.add_option("--network", o.network,
                 "What the features are of: the classifier, inception (pytorch-fid's weights: FID), dinov2 "
                 "(ViT-L/14: FD-DINOv2); these two are much slower")
      ->check(CLI::IsMember({"classifier", "inception", "dinov2"}))
      ->capture_default_str();
  app.add_option("--references", o.references, "Number of training images to compare with (default: all)")
      ->check(CLI::Range(100, 1000000));
  app.add_option("--model", o.model,
                 "model.safetensors or a checkpoint; without one the data alone are looked at");
  app.add_option("--steps", o.steps,
                 "Evaluations of the network per sample, one number or more (default: 1 and 2, or 11 and 35 "
                 "of a denoiser)")
      ->check(CLI::Range(1, 1000));
  app.add_option("--count", o.count, "Number of samples")
      ->check(CLI::Range(100, 1000000))
      ->capture_default_str();
  app.add_option("--guidance", o.guidance, "How much the class counts, of a model of --classes")
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of the noise")->capture_default_str();
  app.add_flag("--json", o.json,
               "A line of JSON for each set that is measured; the table goes to the standard error");
  app.add_option("--neighbours", o.neighbours,
                 "PNG of samples, each beside the training images that are nearest to it by features");
  app.add_option("--threads", o.threads, "Threads (default: one per core)")->check(CLI::Range(1U, 4096U));
  return parse(app, {program.example}, argc, argv);
}

/// Measures sets of images against training images, in one table.
class Evaluation {
 public:
  static constexpr Index compared = 10000;  ///< at most so many images of both sets by pairs
  static constexpr Index neighbours_k = 3;

  /// `of`: what the features are of, with network, file and resize.
  Evaluation(Seen train, std::string of, std::string reference, bool json)
      : train_{std::move(train)},
        gaussian_{Gaussian::of(train_.features)},
        of_{std::move(of)},
        reference_{std::move(reference)},
        json_{json} {
    std::fprintf(
        table(),
        "features: %s\nreference: %s\nDistances compare with none of other features, files or counts.\n\n",
        of_.c_str(), reference_.c_str());
    std::fprintf(table(), "%-34s %9s %9s %9s %6s %6s %7s %8s %10s\n", "set", "Fréchet", "kernel", "MIND",
                 "prec.", "recall", "density", "coverage", "authentic");
  }

  void measure(std::string const& name, Seen const& seen) {
    auto const count = seen.features.shape()[0];
    if (count <= gaussian_.mean.size())
      fail<config_error>("--count", "samples", to_text(count),
                         "more than the " + to_text(gaussian_.mean.size()) + " features");
    auto const pairs = std::min({compared, count, train_.features.shape()[0]});
    auto const some = [&](Tensor<float> const& x) { return x.view(0, x.shape().with(0, pairs)); };
    auto const real = some(train_.features), generated = some(seen.features);
    auto const frechet = frechet_distance(gaussian_, Gaussian::of(seen.features));
    auto const kernel =
        kernel_distance_of_subsets(real, generated, {.subsets = 50, .size = std::min<Index>(1000, pairs)});
    auto const sorted = mind(real, generated, {});
    auto const near = neighbourhoods(real, generated, {.k = neighbours_k});
    auto const authentic = authenticity(real, generated);
    std::fprintf(table(), "%-34s %9.4g %9.4g %9.4g %6.3f %6.3f %7.3f %8.3f %9.1f%%\n",
                 (name + " (" + grouped(count) + ")").c_str(), frechet, kernel.mean, sorted, near.precision,
                 near.recall, near.density, near.coverage, 100 * authentic);
    std::fflush(table());
    auto const line = nlohmann::json{
        {"set", name},
        {"count", count},
        {"features", of_},
        {"reference", reference_},
        {"frechet_distance", frechet},
        {"kernel_distance", kernel.mean},
        {"mind", sorted},
        {"precision", near.precision},
        {"recall", near.recall},
        {"density", near.density},
        {"coverage", near.coverage},
        {"k", neighbours_k},
        {"by_pairs", pairs},
        {"authenticity",
         authentic}}.dump();
    if (json_) std::printf("%s\n", line.c_str());
    if (seen.scores.shape().rank() == 2) {
      auto const score = inception_score(evaluated(softmax(seen.scores)));
      std::fprintf(table(), "%34s Inception Score %.3f ± %.3f\n", "", score.mean, score.deviation);
    }
  }

  Seen const& train() const noexcept { return train_; }
  std::FILE* table() const noexcept { return json_ ? stderr : stdout; }  ///< where people read

 private:
  Seen train_;
  Gaussian gaussian_;
  std::string of_, reference_;
  bool json_;
};

/// Rows of a sample and its three nearest training images.
inline void draw_neighbours(std::filesystem::path const& path, Tensor<float> const& samples, Seen const& seen,
                            Seen const& train, ImageSet const& images) {
  constexpr Index rows = 10, shown = 3;
  auto const one = samples.shape().with(0, 1);
  Tensor<float> all{one.with(0, rows * (1 + shown))};
  auto const d = seen.features.shape()[1];
  auto const near = nearest(seen.features.view(0, {rows, d}), train.features, shown);
  auto* to = all.mutable_data();
  for (Index i = 0; i < rows; ++i) {
    to = std::copy_n(samples.data() + i * one.count(), one.count(), to);
    for (Index n = 0; n < shown; ++n)
      to = std::copy_n(image_batch(images, near.index[static_cast<std::size_t>(i * shown + n)], 1).data(),
                       one.count(), to);
  }
  write_png(path, sheet(all, 1 + shown, 2));
  std::fprintf(stderr, "%s: %s samples, each beside its %s nearest training images\n", path.c_str(),
               grouped(rows).c_str(), grouped(shown).c_str());
}

void evaluate_model(EvaluateOptions const& o, Judge const& judge, Evaluation& evaluation, auto const& model,
                    Recipe const& recipe, ImageSet const& images) {
  auto const& f = model.f;
  auto const shape = Shape{images.height, images.width, images.channels};
  if (f.network().data_shape() != shape)
    fail<config_error>(o.model.string(), "size of its images", f.network().data_shape().text(),
                       shape.text() + ", as the data's");
  auto const theta = PreparedParameters{model.theta};
  auto const condition = condition_of(recipe, o.count, 1);
  auto const steps = o.steps.empty() ? shown_evaluations(f) : o.steps;
  for (auto const evaluations : steps) {
    auto const sampler = run::sampler(f, evaluations);
    auto const watch = Stopwatch{};
    auto const drawn = [&](Index first, Index n) {
      auto const settings =
          SampleSettings{.seed = o.seed, .count = n, .first = first, .condition = condition.rows(first, n)};
      return o.guidance == 1 ? sample(f, theta, sampler, settings)
                             : sample(Guided{f, o.guidance}, theta, sampler, settings);
    };
    auto const seen = judge.look_at(o.count, drawn);
    auto const name = grouped(evaluations) + (evaluations == 1 ? " evaluation" : " evaluations");
    auto const seconds = watch.seconds();
    evaluation.measure(name, seen);
    std::vector<Index> labels;
    for (Index i = 0; i < o.count && recipe.classes > 0; ++i) labels.push_back(i % recipe.classes);
    if (recipe.classes > 0 && !seen.predicted.empty())
      std::fprintf(evaluation.table(), "%34s %.1f %% are taken for their class\n", "",
                   100 * seen.accuracy(labels));
    std::fprintf(stderr, "%34s drawn in %s\n", "", clock_text(seconds).c_str());
    if (!o.neighbours.empty() && evaluations == steps.front())
      draw_neighbours(o.neighbours, drawn(0, 10), seen, evaluation.train(), images);
  }
}

/// make_network(images) is the network of the features; choose as for sample_program.
template <class MakeNetwork, class Choose>
int evaluate_program(EvaluateProgram const& program, ReadSettings const& reading, auto const& read,
                     MakeNetwork const& make_network, Choose const& choose, int argc, char** argv) try {
  EvaluateOptions o;
  if (auto const status = parse_evaluate_options(o, program, argc, argv)) return *status;
  if (o.threads > 0) set_threads(o.threads);
  auto [train, test] = read(o.data);
  if (o.references > 0 && o.references < train.count) {
    train.count = o.references;
    train.pixels.resize(static_cast<std::size_t>(train.count * train.image_size()));
    train.labels.resize(std::min(train.labels.size(), static_cast<std::size_t>(train.count)));
  }
  auto resize = ", images of " + to_text(train.height) + " x " + to_text(train.width) + " as they are";
  auto const judge_of = [&](auto const& network, ReadSettings const& settings) {
    if constexpr (requires { network.resize; }) resize = network.resize;
    return Judge{network, read_torch_parameters(o.features, network.parameters(), settings)};
  };
  auto const judge = o.network == "inception"
                         ? judge_of(InceptionFeatures{}, {.ignored = {"*num_batches_tracked"}})
                     : o.network == "dinov2" ? judge_of(DinoFeatures{}, {})
                                             : judge_of(make_network(train), reading);
  auto const test_seen = judge.look_at(test);
  if (!test_seen.predicted.empty())
    std::fprintf(o.json ? stderr : stdout, "test images recognised: %.2f %%\n",
                 100 * test_seen.accuracy(test.labels));
  auto const weights = digest(read_file(o.features)).substr(0, 16);
  Evaluation evaluation{judge.look_at(train),
                        to_text(test_seen.features.shape()[1]) + " of " + o.features.filename().string() +
                            " " + weights + resize,
                        grouped(train.count) + " training images " +
                            digest(std::as_bytes(std::span{train.pixels})).substr(0, 16),
                        o.json};
  evaluation.measure("test images", test_seen);
  if (o.model.empty()) return 0;
  auto const file = CheckpointFile{o.model};
  auto const recipe = to_recipe(file.settings(), o.model.string());
  return choose(recipe, [&]<class Subject>() {
    using Network = typename Subject::Network;
    if (recipe.method == "denoising")
      evaluate_model(o, judge, evaluation, load_model<Denoiser<Network>>(file), recipe, train);
    else
      evaluate_model(o, judge, evaluation, load_model<ConsistencyFunction<Network>>(file), recipe, train);
    return 0;
  });
} catch (std::exception const& failure) {
  return failed(program.name, argc, argv, failure);
}

}  // namespace run
