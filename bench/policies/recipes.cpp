// SPDX-License-Identifier: MIT
// The demo's task, network and optimizer with other methods in place of the demo's: how near to
// Fashion-MNIST the samples of each are after equal minutes. Options: policies_recipes --help
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <consistency/data/batches.hpp>
#include <consistency/network/image_classifier.hpp>

#include "../../examples/programs/run/evaluate_program.hpp"
#include "../../examples/programs/run/learning.hpp"
#include "processor.hpp"

namespace {

using namespace run;
using X = Tensor<float>;

struct RecipesOptions {
  std::filesystem::path features, out = "recipes";
  std::string filter = ".*";
  double minutes = 10;
  Index seeds = 1, count = 10000;
  unsigned threads = 0;
};

class Recipes {
 public:
  explicit Recipes(RecipesOptions options)
      : options_{std::move(options)},
        train_{read_images(fashion_mnist, true)},
        judge_{ImageClassifier{{.image = {28, 28, 1}}},
               read_torch_parameters(options_.features.string(),
                                     ImageClassifier{{.image = {28, 28, 1}}}.parameters())},
        evaluation_{judge_.look_at(train_), options_.features.string(), "all training images", false} {}

  /// make(recipe) is the method, sampler(n) what draws with n evaluations.
  void operator()(std::string const& name, auto const& make, auto const& sampler) {
    if (!std::regex_search(name, std::regex{options_.filter})) return;
    for (Index seed = 0; seed < options_.seeds; ++seed) {
      auto recipe = Recipe{.seed = static_cast<std::uint64_t>(seed)};
      recipe.steps = planned(make, recipe);
      auto const began = policies::processor_seconds();
      auto trainer = trainer_of(make(recipe), recipe);
      trainer.run(batches(recipe), recipe.steps, [](StepReport const&) { return true; });
      auto const label = name + ", seed " + to_text(seed);
      std::printf("%s: %s steps, %.0f s\n", label.c_str(), grouped(recipe.steps).c_str(),
                  policies::processor_seconds() - began);
      draw(label, make(recipe).f, trainer.averaged(), sampler);
    }
  }

 private:
  static auto trainer_of(auto const& method, Recipe const& r) {
    return Trainer{method,
                   build_muon(r),
                   method.f.template initialize<X>(Key{r.seed}),
                   {.ema = build_average(r), .clip = r.clip, .key = {r.seed}}};
  }
  ImageBatches batches(Recipe const& r) const { return {train_, r.batch, Key{r.seed}}; }

  /// The steps that fit, from the processor time of a few of a short run, which has all stages.
  Index planned(auto const& make, Recipe recipe) const {
    constexpr Index tried = 40;
    recipe.steps = tried;
    auto trainer = trainer_of(make(recipe), recipe);
    auto data = batches(recipe);
    auto const count = [](StepReport const&) { return true; };
    trainer.run(data, 2, count);
    auto const began = policies::processor_seconds();
    trainer.run(data, tried, count);
    auto const step = (policies::processor_seconds() - began) / (tried - 2) / threads();
    return static_cast<Index>(60 * options_.minutes / step);
  }

  void draw(std::string const& label, auto const& f, auto const& theta, auto const& sampler) {
    auto const prepared = PreparedParameters{theta};
    for (Index const evaluations : {1, 2}) {
      auto const drawn = [&](Index first, Index n) {
        return sample(f, prepared, sampler(evaluations), {.count = n, .first = first});
      };
      evaluation_.measure(label + ", " + to_text(evaluations), judge_.look_at(options_.count, drawn));
      write_png(options_.out / (label + " " + to_text(evaluations) + ".png"), sheet(drawn(0, 64), 8, 2));
    }
  }

  RecipesOptions options_;
  ImageSet train_;
  Judge judge_;
  run::Evaluation evaluation_;
};

/// A network of one time, or of two, as the demo's.
UNet network(Recipe const& r, SecondTime second = SecondTime::none) {
  auto settings = build<UNet>(r).settings();
  settings.condition.second_time = second;
  return UNet{settings};
}
auto consistency_function(Recipe const& r) { return ConsistencyFunction{network(r)}; }
auto flow_map(Recipe const& r) { return FlowMap{network(r, SecondTime::gap)}; }
/// IMM's noise levels end.
auto flow_map_of_levels(Recipe const& r) {
  return FlowMap{network(r, SecondTime::gap), LinearPath{.epsilon = 0.006, .T = 0.994}};
}

void compare(Recipes& recipes) {
  auto const jumps = [](Index n) { return FlowMapSampler{.steps = n}; };
  recipes(
      "CT, gaps",
      [](Recipe const& r) {
        return GapTraining<UNet, X>{r, network(r)}.method(consistency_function(r), r);
      },
      [](Index n) { return sampler(consistency_function({}), n); });
  recipes(
      "sCT",
      [](Recipe const& r) {
        auto method = SimplifiedConsistencyTraining{.f = ConsistencyFunction{network(r), Trigonometric{}}};
        method.identity.warm_up = share("denoising", r.denoising, r);
        return method;
      },
      [](Index n) { return n == 1 ? Multistep{.times = {}} : Multistep{.times = {1.1}}; });
  recipes(
      "MeanFlow", [](Recipe const& r) { return MeanFlow{.f = flow_map(r)}; }, jumps);
  recipes(
      "SoFlow", [](Recipe const& r) { return SoFlow{.f = flow_map(r)}; }, jumps);
  recipes(
      "IMM", [](Recipe const& r) { return InductiveMomentMatching{.f = flow_map_of_levels(r)}; }, jumps);
}

std::optional<int> parse_options(RecipesOptions& o, int argc, char** argv) {
  CLI::App app{"Trains the demo's network by several methods for equal processor time, and measures samples.",
               "policies_recipes"};
  app.add_option("--features", o.features, "Weights that fashion_mnist_classifier has written")->required();
  app.add_option("--minutes", o.minutes, "Of each training")->check(CLI::Range(0.01, 1e5));
  app.add_option("--seeds", o.seeds, "Trainings of each, with seeds 0, 1, …")->check(CLI::Range(1, 1000));
  app.add_option("--count", o.count, "Samples that are measured")->check(CLI::Range(100, 1000000));
  app.add_option("--filter", o.filter, "Regular expression that names must contain");
  app.add_option("--threads", o.threads, "Threads (default: one per core)")->check(CLI::Range(1U, 4096U));
  app.add_option("--out", o.out, "Folder of pictures");
  return parse(app, {"--features classifier.safetensors --minutes 10 --seeds 3"}, argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    RecipesOptions options;
    if (auto const status = parse_options(options, argc, argv)) return *status;
    if (options.threads > 0) set_threads(options.threads);
    std::filesystem::create_directories(options.out);
    Recipes recipes{options};
    compare(recipes);
  } catch (std::exception const& failure) {
    return failed("policies_recipes", argc, argv, failure);
  }
}
