// SPDX-License-Identifier: MIT
// What the evaluating programs show to the networks of the literature, and in what order.

#include "../../examples/programs/run/feature_networks.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "../../examples/programs/run/judge.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Each image's mean, as its feature and as its score.
struct Means {
  static constexpr Index batch = 3;
  ParameterTable table{};
  Tensor<float> pooled(auto const&, Tensor<float> const& x) const {
    REQUIRE(x.shape()[0] <= batch);
    auto const size = x.count() / x.shape()[0];
    Tensor<float> means{{x.shape()[0], 1}};
    for (Index i = 0; i < x.count(); ++i)
      means.mutable_data()[i / size] =
          (i % size == 0 ? 0 : means[i / size]) + x[i] / static_cast<float>(size);
    return means;
  }
  Tensor<float> scores(auto const&, Tensor<float> const& f) const { return f; }
};

}  // namespace

TEST_CASE("samples are rounded to bytes, and grey ones have three equal channels") {
  Tensor<float> const x{{1, 1, 2, 1}, std::array{-0.5F, 1.25F}};
  auto const pictures = run::as_pictures(x);
  REQUIRE(pictures.shape() == Shape{1, 1, 2, 3});
  for (Index c = 0; c < 3; ++c) {
    CHECK(pictures[c] == doctest::Approx(64 / 127.5 - 1).epsilon(1e-6));  // 127.5 · 0.5 = 63.75
    CHECK(pictures[3 + c] == 1);
  }
}

TEST_CASE("pictures of another size are resized as files are") {
  ImageSet const set{.count = 1,
                     .height = 2,
                     .width = 3,
                     .channels = 3,
                     .pixels =
                         [] {
                           std::vector<std::uint8_t> bytes;
                           for (int i = 0; i < 18; ++i) bytes.push_back(static_cast<std::uint8_t>(13 * i));
                           return bytes;
                         }(),
                     .labels = {}};
  auto const large = resized(Image{.height = 2, .width = 3, .channels = 3, .pixels = set.pixels}, 8, 8);
  auto const pictures = run::as_pictures(run::image_batch(set, 0, 1), 8);
  REQUIRE(pictures.shape() == Shape{1, 8, 8, 3});
  for (Index i = 0; i < pictures.count(); ++i)
    CHECK(pictures[i] == static_cast<float>(large.pixels[static_cast<std::size_t>(i)]) / 127.5F - 1);
}

TEST_CASE("pictures of two channels are an error") {
  CHECK_THROWS_AS(run::as_pictures(Tensor<float>({1, 2, 2, 2}, 0.0F)), shape_error);
}

TEST_CASE("a judge looks at batches in their order and knows no classes where the network has none") {
  auto const judge = run::Judge{Means{}, Parameters<Tensor<float>>{ParameterTable{}}};
  auto const seen = judge.look_at(7, [](Index first, Index n) {
    Tensor<float> x{{n, 1, 1, 2}};
    for (Index i = 0; i < x.count(); ++i) x.mutable_data()[i] = static_cast<float>(2 * first + i);
    return x;
  });
  REQUIRE(seen.features.shape() == Shape{7, 1});
  REQUIRE(seen.scores.shape() == Shape{7, 1});
  CHECK(seen.predicted.empty());
  for (Index i = 0; i < 7; ++i) CHECK(seen.features[i] == static_cast<float>(2 * i) + 0.5F);
}

TEST_CASE("features of Inception are its network's of rounded pictures") {
  auto const features = run::InceptionFeatures{};
  auto const theta = Parameters<Tensor<float>>::initialized(features.parameters(), Key{3});
  Tensor<float> const x{{1, 2, 2, 1}, std::array{-1.0F, -0.3F, 0.2F, 0.7F}};
  Tensor<float> const pooled = features.pooled(theta, x);
  Tensor<float> const expected = features.network(theta, run::as_pictures(x));
  REQUIRE(pooled.shape() == Shape{1, InceptionV3::features});
  for (Index i = 0; i < pooled.count(); ++i) CHECK(pooled[i] == expected[i]);
  CHECK(Tensor<float>{features.scores(theta, pooled)}.shape() == Shape{1, InceptionV3::classes});
}
