// SPDX-License-Identifier: MIT
#pragma once

// What is trained and how: every number of a run stands in one struct, which every checkpoint carries.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/io/safetensors.hpp>

#include "../support/data_set.hpp"

namespace fashion {

using namespace consistency;
using namespace example;

struct Recipe {
  // Data.
  std::string data = "fashion-mnist";  ///< or "checkerboard"
  std::string images = fashion_mnist;
  std::string digest;  ///< of the images, so that a resumed run sees the same ones
  Index height = 28, width = 28, colours = 1;
  Index batch = 64;
  Index classes = 0;           ///< 0: what an image shows is not told
  double without_class = 0.1;  ///< share of images whose class is not told, so that guidance can be drawn
  std::uint64_t seed = 0;
  Index steps = 0;  ///< K

  // The U-Net for images, the perceptron for points.
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

  // Times: a share of the steps trains a denoiser, then the gap between the two times halves at every stage.
  double law_mean = -1.1, law_deviation = 2.0;
  double kappa = 8, q = 2;
  double denoising = 0.35;  ///< share of K
  double stage = 1.0 / 6;   ///< share of K, of every stage but the last
  Index stages = 4;

  // Loss and optimizer.
  double huber = 0.00054;  ///< c of the metric, times the root of the number of dimensions
  double learning_rate = 1e-3;
  double beta2 = 0.99;
  double decay_from = 0.7;  ///< share of K after which the learning rate falls to 0
  double clip = 1;
  double ema = 0.999;       ///< of the averaged weights, if the run is long enough:
  double ema_window = 0.1;  ///< the average looks back at most this share of K

  bool points() const { return data == "checkerboard"; }
  static Recipe for_data(std::string const& data) {
    Recipe recipe;
    recipe.data = data;
    if (recipe.points()) {
      recipe.images = "";
      recipe.batch = 512;
      recipe.height = recipe.width = recipe.colours = 0;
    }
    return recipe;
  }
};

/// Calls visit(name, field) for every field of a recipe: a new field belongs here too.
template <class R>
void for_each_field(R& r, auto const& visit) {
  visit("data", r.data), visit("images", r.images), visit("digest", r.digest);
  visit("height", r.height), visit("width", r.width), visit("colours", r.colours);
  visit("classes", r.classes), visit("without_class", r.without_class);
  visit("batch", r.batch), visit("seed", r.seed), visit("steps", r.steps);
  visit("channels", r.channels), visit("multipliers", r.multipliers), visit("blocks", r.blocks);
  visit("attention", r.attention), visit("heads", r.heads), visit("patch", r.patch);
  visit("embedding", r.embedding), visit("dropout", r.dropout), visit("time_scale", r.time_scale);
  visit("mlp_width", r.mlp_width), visit("mlp_layers", r.mlp_layers), visit("mlp_embedding", r.mlp_embedding);
  visit("law_mean", r.law_mean), visit("law_deviation", r.law_deviation), visit("kappa", r.kappa),
      visit("q", r.q);
  visit("denoising", r.denoising), visit("stage", r.stage), visit("stages", r.stages);
  visit("huber", r.huber), visit("learning_rate", r.learning_rate), visit("beta2", r.beta2);
  visit("decay_from", r.decay_from), visit("clip", r.clip), visit("ema", r.ema),
      visit("ema_window", r.ema_window);
}

// Fields as text that reads back to the last bit.

inline std::string to_text(std::string const& value) { return value; }
template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
std::string to_text(Number value) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}
inline std::string to_text(std::vector<Index> const& values) {
  std::string text;
  for (auto const value : values) text += (text.empty() ? "" : ",") + to_text(value);
  return text;
}

inline bool from_text(std::string const& text, std::string& value) {
  value = text;
  return !consistency::detail::has_control_bytes(text);  // they would reach a terminal
}
template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
bool from_text(std::string const& text, Number& value) {
  auto const* const end = text.data() + text.size();
  auto const [stop, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc{} && stop == end;
}
inline bool from_text(std::string const& text, std::vector<Index>& values) {
  values.clear();
  for (std::size_t from = 0; from < text.size();) {
    auto const comma = std::min(text.find(',', from), text.size());
    if (!from_text(text.substr(from, comma - from), values.emplace_back())) return false;
    from = comma + 1;
  }
  return true;
}

inline Metadata to_metadata(Recipe const& recipe) {
  Metadata settings;
  for_each_field(recipe, [&](char const* name, auto const& field) { settings[name] = to_text(field); });
  return settings;
}

/// Settings that files of before they existed lack; these have the values of a Recipe.
inline bool may_be_missing(std::string const& name) { return name == "classes" || name == "without_class"; }

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
  if (recipe.points() || recipe.patch < 1) return recipe;
  std::vector<Index> heights;
  auto height = recipe.height / recipe.patch;
  for (std::size_t level = 0; level < recipe.multipliers.size(); ++level, height /= 2)
    if (std::find(recipe.attention.begin(), recipe.attention.end(), height) != recipe.attention.end())
      heights.push_back(height);
  recipe.attention = heights;
  if (heights.empty()) recipe.heads = 1;
  return recipe;
}

// What the recipe describes.

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

inline UNet build_unet(Recipe const& r) {
  return UNet{{.channels = r.channels,
               .multipliers = r.multipliers,
               .blocks = r.blocks,
               .attention = r.attention,
               .heads = r.heads,
               .patch = r.patch,
               .dropout = r.dropout,
               .embedding = r.embedding,
               .time = {.scale = r.time_scale},
               .condition = {.features = r.classes, .null = r.without_class > 0},
               .image = {r.height, r.width, r.colours}}};
}

inline Mlp build_mlp(Recipe const& r) {
  return Mlp{{.dimensions = 2,
              .width = r.mlp_width,
              .layers = r.mlp_layers,
              .embedding = r.mlp_embedding,
              .time = {.scale = r.time_scale}}};
}

inline GapTimes build_times(Recipe const& r) {
  GapTimes times;
  times.distribution = {r.law_mean, r.law_deviation};
  times.q = r.q;
  times.kappa = r.kappa;
  times.denoising = share("denoising", r.denoising, r);
  times.stage_steps = std::max<Index>(1, share("stage", r.stage, r));
  times.stages = r.stages;
  return times;
}

/// Steps at which a stage begins, the first left out.
inline std::vector<Index> stage_starts(Recipe const& r) {
  auto const times = build_times(r);
  std::vector<Index> starts;
  for (Index k = 0; k < r.steps;) {
    auto const stage = times.stage(k);
    auto same = k, other = r.steps;  // the next stage begins between them
    while (other - same > 1) {
      auto const middle = same + (other - same) / 2;
      (times.stage(middle) == stage ? same : other) = middle;
    }
    if (other < r.steps) starts.push_back(other);
    k = other;
  }
  return starts;
}

template <class Network>
auto build_method(ConsistencyFunction<Network> const& f, Recipe const& r) {
  auto const c = r.huber * std::sqrt(static_cast<double>(f.network().data_shape().count()));
  return ConsistencyTraining{
      .f = f, .metric = PseudoHuber{c}, .times = build_times(r), .weighting = InverseGapWeighting{}};
}

inline RAdam build_optimizer(Recipe const& r) {
  RAdam optimizer{.learning_rate = r.learning_rate, .beta2 = r.beta2};
  auto const from = share("decay_from", r.decay_from, r);
  optimizer.schedule = {.decay_from = from, .decay_to = from < r.steps ? r.steps : 0};
  return optimizer;
}

/// Trains on tensors X.
template <class X, class Network>
auto build_trainer(ConsistencyFunction<Network> const& f, Recipe const& r) {
  auto const window = std::max(1.0, r.ema_window * static_cast<double>(r.steps));
  auto const ema = std::min(r.ema, 1 - 1 / window);
  return Trainer{build_method(f, r), build_optimizer(r), f.template initialize<X>(Key{r.seed}),
                 TrainerSettings{.ema = ema,
                                 .clip = r.clip,
                                 .condition_dropout = r.classes > 0 ? r.without_class : 0,
                                 .key = {r.seed},
                                 .record = !OnHost<typename X::Backend> && r.dropout == 0}};
}

/// Classes 0, 1, … of `count` images, `columns` of each in turn.
inline Condition<Tensor<float>> classes_by_row(Recipe const& r, Index count, Index columns) {
  if (r.classes == 0) return {};
  ClassLabels rows{.labels = {}, .classes = r.classes};
  for (Index i = 0; i < count; ++i) rows.labels.push_back(i / columns % r.classes);
  return rows;
}

/// 1: one evaluation. More: Algorithm 1 with middle times in geometric progression from T down to 0.821.
inline Multistep sampler(Index evaluations, NoiseProcess auto const& process) {
  Multistep sampler;
  auto const last = sampler.times.back(), T = process.range().largest;
  sampler.times.clear();
  for (Index i = 1; i < evaluations; ++i)
    sampler.times.push_back(
        T * std::pow(last / T, static_cast<double>(i) / static_cast<double>(evaluations - 1)));
  return sampler;
}

}  // namespace fashion
