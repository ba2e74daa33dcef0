// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/data/augmented_batches.hpp>
#include <consistency/data/labelled_batches.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Images whose pixels say which they are.
ImageSet images(Index count, Index height = 4, Index width = 6) {
  ImageSet set{.count = count, .height = height, .width = width, .channels = 2, .pixels = {}, .labels = {}};
  for (Index i = 0; i < count * set.image_size(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 7 % 251));
  for (Index i = 0; i < count; ++i) set.labels.push_back(static_cast<std::uint8_t>(i % 3));
  return set;
}

Tensor<float> mirrored(Tensor<float> const& x) {
  auto y = x.clone();
  auto const n = x.shape()[0], h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
  for (Index i = 0; i < n * h; ++i)
    for (Index j = 0; j < w; ++j)
      for (Index k = 0; k < c; ++k) y.mutable_data()[(i * w + j) * c + k] = x[(i * w + w - 1 - j) * c + k];
  return y;
}

}  // namespace

TEST_CASE("half of all images are mirrored, each as a whole, and the others are as they were") {
  auto plain = ImageBatches{images(64), 32, Key{1}};
  auto flipped = AugmentedBatches{plain, {.rate = 0, .mirror = 0.5, .labelled = false}, Key{2}};
  Index count = 0;
  for (Index k = 0; k < 40; ++k) {
    auto const x = plain(k);
    auto const batch = flipped(k);
    CHECK_FALSE(batch.condition.defined());
    auto const m = mirrored(x);
    for (Index i = 0; i < 32; ++i) {
      auto const one = Shape{1, 4, 6, 2};
      auto const found = batch.x0.view(i * 48, one);
      auto const is_mirrored = same_bits(found, m.view(i * 48, one));
      CHECK((is_mirrored || same_bits(found, x.view(i * 48, one))));
      count += is_mirrored ? 1 : 0;
    }
  }
  // 1,280 fair coins: within five standard deviations.
  CHECK(std::abs(static_cast<double>(count) - 640) < 5 * std::sqrt(1280 * 0.25));
}

TEST_CASE("transforms come as often as their rate says, and labels of what is not done are 0") {
  auto batches = AugmentedBatches{ImageBatches{images(64), 64, Key{1}}, {.rate = 0.12}, Key{2}};
  std::vector<Index> done(9, 0);
  constexpr Index steps = 60, n = 64;
  for (Index k = 0; k < steps; ++k) {
    auto const batch = batches(k);
    REQUIRE(batch.condition.width() == 9);
    for (Index i = 0; i < n; ++i)
      for (Index l = 0; l < 9; ++l)
        done[static_cast<std::size_t>(l)] += batch.condition.features()(i, l) != 0 ? 1 : 0;
  }
  auto const all = static_cast<double>(steps * n);
  auto const near = [&](std::size_t label, double share) {
    return std::abs(static_cast<double>(done[label]) - share * all) <
           5 * std::sqrt(all * share * (1 - share));
  };
  CHECK(near(0, 0.5));
  CHECK(near(1, 0.06));  // a fair coin for those that are asked
  for (std::size_t const label : {2, 3, 4, 5, 7, 8}) CHECK(near(label, 0.12));
  CHECK(near(6, 0.06));  // half of the directions are 0
}

TEST_CASE("labels stand behind the classes, and a batch depends on seed, step and place alone") {
  auto const make = [](Key key) {
    return AugmentedBatches{LabelledImageBatches{images(48), 3, 16, Key{1}}, {.rate = 0.5}, key};
  };
  auto a = make({2}), b = make({2}), c = make({3});
  static_cast<void>(b(7));
  auto const x = a(3), y = b(3), z = c(3);
  CHECK(x.condition.width() == 12);
  CHECK(same_bits(x.x0, y.x0));
  CHECK(same_bits(x.condition.features(), y.condition.features()));
  CHECK_FALSE(same_bits(x.x0, z.x0));
  for (Index i = 0; i < 16; ++i) {
    float sum = 0;
    for (Index l = 0; l < 3; ++l) sum += x.condition.features()(i, l);
    CHECK(sum == 1.0F);
  }
  auto const threads_before = threads();
  set_threads(3);
  CHECK(same_bits(make({2})(3).x0, x.x0));
  set_threads(threads_before);
}

TEST_CASE("a moved image of one shade keeps it, up to the filter's own unevenness") {
  auto pixels = std::vector<float>(16 * 16, 0.5F);
  auto const transform = AugmentationSettings{}.transform({.size = -0.5, .angle = 0.7}, 16, 16);
  ImageTransformer{16, 16, 1}(transform, pixels.data());
  for (auto const pixel : pixels) CHECK(std::abs(pixel - 0.5F) < 5e-3F);
}

TEST_CASE("impossible augmentations, and data that are no images, are rejected") {
  check_fails<ErrorCode::config>([] { AugmentationSettings{.rate = 1.5}.check(); },
                                 {"Augmentation", "rate", "1.5"});
  check_fails<ErrorCode::config>([] { AugmentationSettings{.mirror = -1}.check(); }, {"mirror", "-1"});
  auto points = AugmentedBatches{[](Index) {
                                   return Batch<Tensor<float>>{Tensor<float>(Shape{4, 2}, 1.0F)};
                                 },
                                 {},
                                 Key{}};
  check_fails<ErrorCode::shape>([&] { points(0); }, {"AugmentedBatches", "(4, 2)", "images"});
}
