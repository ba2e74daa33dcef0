// SPDX-License-Identifier: MIT
#pragma once

// What is trained and how: every number of a run stands in one struct, which every checkpoint carries.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/io/safetensors.hpp>

#include "../support/text.hpp"
#include "field_text.hpp"

namespace run {

using namespace consistency;
using namespace example;

/// The defaults are those of Fashion-MNIST in ten minutes.
struct Recipe {
  // Data.
  std::string data = "fashion-mnist";  ///< or "checkerboard", "cifar-10", "pictures"
  std::string images{};                ///< the file or folder; "" of points
  std::string digest{};                ///< of the images, so that a resumed run sees the same ones
  Index height = 28, width = 28, colours = 1;
  Index batch = 64;
  Index micro_batch = 0;          ///< images whose gradient is computed at a time; 0: all of a batch
  Index classes = 0;              ///< 0: what an image shows is not told
  double without_class = 0.1;     ///< share of images whose class is not told, so that guidance can be drawn
  double flips = 0;               ///< share of images that are mirrored left to right
  double augmentation = 0;        ///< rate of each further transform (Karras et al. 2022, Appendix F.2)
  Index augmentation_labels = 0;  ///< 9: the network is told what was done to an image
  std::uint64_t seed = 0;
  Index steps = 0;     ///< K
  double minutes = 0;  ///< what K is planned from, and corrected by; 0: K was given

  // Method: "gaps" and "grid" train without a teacher, "distillation" with one, "denoising" makes one.
  std::string method = "gaps";
  std::string metric = "huber";  ///< or "l1", "l2", "lpips"
  std::string teacher{};         ///< file of the teacher's weights
  std::string teacher_digest{};
  std::string lpips{};  ///< files of the VGG16 and of the heads of LPIPS, with a comma

  // The network of images, "unet", "ddpmpp" or "ncsnpp"; the perceptron of points.
  std::string network = "unet";
  Index channels = 32;
  std::vector<Index> multipliers = {1, 2};
  Index blocks = 2;
  std::vector<Index> attention = {7};
  Index heads = 2;
  Index patch = 2;
  Index embedding = 128;
  double dropout = 0;
  double time_scale = 1;  ///< of the frequencies of the time embedding
  Index mlp_width = 128, mlp_layers = 3, mlp_embedding = 32;

  // Times of "gaps": a share of the steps trains a denoiser, then the gap halves at every stage.
  double law_mean = -1.1, law_deviation = 2.0;  ///< of ln σ; of "denoising" too
  double kappa = 8, q = 2;
  double denoising = 0.35;  ///< share of K
  double stage = 1.0 / 6;   ///< share of K, of every stage but the last
  Index stages = 4;
  // Times of "grid", N(k) points from s0 to s1 and μ(k) by mu0, and of "distillation": N points, or those of
  // "gaps" where N is 0.
  Index N = 18;
  Index s0 = 2, s1 = 150;
  double mu0 = 0.9;

  // Loss and optimizer.
  double huber = 0.00054;  ///< c of the metric, times the root of the number of dimensions
  double learning_rate = 1e-3;
  double matrix_rate = 0.02;  ///< of kernels and matrices, in "gaps"
  double beta2 = 0.99;
  Index warm_up = 0;        ///< steps over which the learning rate rises
  double decay_from = 0.7;  ///< share of K after which the learning rate falls to 0; 1: never
  double clip = 1;          ///< 0: never
  double ema = 0.999;       ///< of the averaged weights, if the run is long enough:
  double ema_window = 0.1;  ///< the average looks back at most this share of K; 0: that is not looked at
  double half_life = 0;     ///< of the average, in images; 0: it goes by `ema`

  bool dry_run = false;  ///< weights of files that are not named are random: they cost the same. Never saved

  bool points() const { return data == "checkerboard"; }
  /// The null condition is trained too, so that samples of a class can be drawn with guidance.
  bool guided() const { return classes > 0 && without_class > 0; }
};

/// Calls visit(name, field) for every field of a recipe that is saved: a new field belongs here too.
template <class R>
void for_each_field(R& r, auto const& visit) {
  visit("data", r.data), visit("images", r.images), visit("digest", r.digest);
  visit("height", r.height), visit("width", r.width), visit("colours", r.colours);
  visit("classes", r.classes), visit("without_class", r.without_class);
  visit("flips", r.flips), visit("augmentation", r.augmentation);
  visit("augmentation_labels", r.augmentation_labels);
  visit("batch", r.batch), visit("micro_batch", r.micro_batch);
  visit("seed", r.seed), visit("steps", r.steps), visit("minutes", r.minutes);
  visit("method", r.method), visit("metric", r.metric), visit("teacher", r.teacher);
  visit("teacher_digest", r.teacher_digest), visit("lpips", r.lpips);
  visit("network", r.network);
  visit("channels", r.channels), visit("multipliers", r.multipliers), visit("blocks", r.blocks);
  visit("attention", r.attention), visit("heads", r.heads), visit("patch", r.patch);
  visit("embedding", r.embedding), visit("dropout", r.dropout), visit("time_scale", r.time_scale);
  visit("mlp_width", r.mlp_width), visit("mlp_layers", r.mlp_layers), visit("mlp_embedding", r.mlp_embedding);
  visit("law_mean", r.law_mean), visit("law_deviation", r.law_deviation), visit("kappa", r.kappa),
      visit("q", r.q);
  visit("denoising", r.denoising), visit("stage", r.stage), visit("stages", r.stages);
  visit("N", r.N), visit("s0", r.s0), visit("s1", r.s1), visit("mu0", r.mu0);
  visit("huber", r.huber), visit("learning_rate", r.learning_rate), visit("beta2", r.beta2);
  visit("matrix_rate", r.matrix_rate);
  visit("warm_up", r.warm_up), visit("decay_from", r.decay_from), visit("clip", r.clip);
  visit("ema", r.ema), visit("ema_window", r.ema_window), visit("half_life", r.half_life);
}

inline Metadata to_metadata(Recipe const& recipe) {
  Metadata settings;
  for_each_field(recipe, [&](char const* name, auto const& field) { settings[name] = to_text(field); });
  return settings;
}

/// Settings that files of before they existed lack; these have the values of a Recipe.
inline bool may_be_missing(std::string const& name) {
  constexpr auto later = std::array{"classes",
                                    "without_class",
                                    "flips",
                                    "augmentation",
                                    "augmentation_labels",
                                    "micro_batch",
                                    "minutes",
                                    "method",
                                    "metric",
                                    "teacher",
                                    "teacher_digest",
                                    "lpips",
                                    "network",
                                    "N",
                                    "s0",
                                    "s1",
                                    "mu0",
                                    "warm_up",
                                    "half_life",
                                    "matrix_rate"};
  return std::find(later.begin(), later.end(), name) != later.end();
}

/// Throws format_error for a setting that is missing or does not read.
inline Recipe to_recipe(Metadata const& settings, std::string const& file,
                        std::string const& advice = "Was the file written by another program or version?") {
  Recipe recipe;
  for_each_field(recipe, [&](char const* name, auto& field) {
    auto const at = settings.find(name);
    if (at == settings.end() && may_be_missing(name)) return;
    auto const found = at == settings.end() ? std::string{"nothing"} : printable(at->second);
    if (at == settings.end() || !from_text(at->second, field))
      fail<format_error>(file, "setting '" + std::string{name} + "'", found, "a value of its type", advice);
  });
  return recipe;
}

/// The recipe of a saved run as its network was built: attention at a height that no level has, and heads
/// without attention, had no effect before they were rejected.
inline Recipe as_built(Recipe recipe) {
  if (recipe.points() || recipe.patch < 1 || recipe.network != "unet") return recipe;
  std::vector<Index> heights;
  auto height = recipe.height / recipe.patch;
  for (std::size_t level = 0; level < recipe.multipliers.size(); ++level, height /= 2)
    if (std::find(recipe.attention.begin(), recipe.attention.end(), height) != recipe.attention.end())
      heights.push_back(height);
  recipe.attention = heights;
  if (heights.empty()) recipe.heads = 1;
  return recipe;
}

/// That share of the steps, of the setting `name`. Throws config_error unless it is 0 or more, and a number
/// of steps that can be counted.
inline Index share(char const* name, double of_steps, Recipe const& r) {
  auto const steps = of_steps * static_cast<double>(r.steps);
  if (!(steps >= 0 && steps <= 0x1p62))
    fail<config_error>("recipe", "setting '" + std::string{name} + "'",
                       to_text(of_steps) + " of " + to_text(r.steps) + " steps",
                       "a share of the steps, from 0 to 2^62 of them", "Take a share from 0 to 1.");
  return static_cast<Index>(std::llround(steps));
}

inline Recipe with_steps(Recipe recipe, Index K) {
  recipe.steps = K;
  return recipe;
}

/// Throws config_error, naming the values that there are, for a setting that is none of them.
inline void require_one_of(char const* name, std::string const& found,
                           std::initializer_list<char const*> values) {
  std::string all;
  for (auto const* const value : values) {
    if (found == value) return;
    all += (all.empty() ? "" : ", ") + std::string{value};
  }
  fail<config_error>("recipe", "setting '" + std::string{name} + "'", printable(found), all);
}

}  // namespace run
