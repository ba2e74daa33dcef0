// SPDX-License-Identifier: MIT
// The recipes of examples/programs/cifar10 against the papers' tables.

#include "../../examples/programs/cifar10/presets.hpp"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../examples/programs/run/learning.hpp"

using namespace consistency;
using run::Recipe;

namespace {

Recipe paper(std::vector<run::Preset> const& presets) {
  for (auto const& preset : presets)
    if (preset.name == "paper") return preset.recipe;
  FAIL("there is no preset of that name");
  return {};
}

using X = Tensor<float>;
template <template <class, class> class Learns>
using Of = Learns<SongUNet, X>;

}  // namespace

TEST_CASE("the papers' recipes train NCSN++ for CIFAR-10 on mirrored batches of 512") {
  for (auto const& recipe :
       {paper(cifar10::denoising()), paper(cifar10::distillation()), paper(cifar10::training())}) {
    auto const net = run::build<SongUNet>(recipe);
    CHECK(recipe.network == "ncsnpp");
    CHECK(net.data_shape() == Shape{32, 32, 3});
    CHECK(recipe.batch == 512);
    CHECK((recipe.flips == 0.5 || recipe.augmentation > 0));
    CHECK(net.parameters().count() == 56'395'651 + (recipe.augmentation_labels > 0 ? 9 * 256 : 0));
  }
}

TEST_CASE("the paper's distillation has the numbers of its Table 3") {
  auto const r = paper(cifar10::distillation());
  CHECK(r.method == "distillation");
  CHECK(r.metric == "lpips");
  CHECK(r.learning_rate == 4e-4);
  CHECK(r.N == 18);
  CHECK(r.steps == 800'000);
  CHECK(r.ema == 0.9999);
  CHECK(r.ema_window == 0);
  CHECK(r.dropout == 0);
  CHECK(r.clip == 0);
  auto const rate = run::build_rate(r);
  for (Index const k : {1, 1000, 800'000}) CHECK(rate.factor(k) == 1);
}

TEST_CASE("the paper's training has the numbers of its Table 3, and N and μ those of its programs") {
  auto const r = paper(cifar10::training());
  CHECK(r.method == "grid");
  CHECK(r.metric == "lpips");
  CHECK(r.learning_rate == 4e-4);
  CHECK(r.steps == 800'000);
  CHECK(r.ema == 0.9999);
  auto const steps = AdaptiveSteps{.s0 = r.s0, .s1 = r.s1, .K = r.steps};
  auto const target =
      AdaptiveEmaTarget{.s0 = static_cast<double>(r.s0), .mu0 = r.mu0, .denominator = Denominator::intervals};
  struct Row {
    double share;
    Index N;
    double mu;
  };
  for (auto const& [share, N, mu] : std::array<Row, 9>{{{0, 2, .81},
                                                        {1.0 / 800'000, 3, .9},
                                                        {.001, 6, .958732},
                                                        {.01, 16, .986050},
                                                        {.1, 48, .995527},
                                                        {.25, 76, .997194},
                                                        {.5, 107, .998014},
                                                        {.75, 131, .998380},
                                                        {1, 151, .998596}}}) {
    auto const points = steps.points(static_cast<Index>(std::llround(share * 800'000)));
    CHECK(points == N);
    CHECK(std::abs(target.rate(static_cast<double>(points)) - mu) < 5e-7);
  }
}

TEST_CASE("the paper's denoiser sees 200 million augmented images, with a rate that rises over ten million") {
  auto const r = paper(cifar10::denoising());
  CHECK(r.method == "denoising");
  CHECK(r.steps == 390'625);
  CHECK(r.warm_up == 19'531);
  CHECK(r.learning_rate == 1e-3);
  CHECK(r.dropout == 0.13);
  CHECK(r.augmentation == 0.12);
  CHECK(r.augmentation_labels == 9);
  CHECK(r.law_mean == -1.2);
  CHECK(r.law_deviation == 1.2);
  // μ of an average whose half-life is 500,000 images at 512 a step, as the consistency models' teacher has.
  CHECK(std::abs(Average::half_life(r.half_life / 512).at(1) - 0.9992904691) < 5e-11);
}

TEST_CASE("recipes for minutes on a CPU say how long they take, and fit images of 32 × 32") {
  for (auto const& presets : {cifar10::denoising(), cifar10::distillation(), cifar10::training()}) {
    auto const r = presets.front().recipe;
    CHECK(presets.front().name == "small");
    CHECK(r.minutes > 0);
    CHECK(r.steps == 0);
    CHECK(run::build<UNet>(r).parameters().count() < 4'000'000);
  }
}
