// SPDX-License-Identifier: MIT
#include <cstddef>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/vgg16.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

using T = Tensor<float>;

static_assert(FeatureNetwork<FeatureExtractor<Vgg16>>);
static_assert(Metric<Lpips<FeatureExtractor<Vgg16>>>);

TEST_CASE("VGG16 has 14,714,688 parameters under torchvision's names") {
  auto const net = Vgg16{};
  CHECK(net.parameters().count() == 14'714'688);
  auto const& entries = net.parameters().entries();
  REQUIRE(entries.size() == 26);
  std::size_t i = 0;
  for (auto const index : {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}) {
    CHECK(entries[i++].name == "features." + std::to_string(index) + ".weight");
    CHECK(entries[i++].name == "features." + std::to_string(index) + ".bias");
  }
  CHECK(entries[0].shape == Shape{3, 3, 3, 64});
}

TEST_CASE("VGG16 maps images to five maps, resized or not, and its metric has a gradient") {
  auto theta = Parameters<T>::initialized(Vgg16{}.parameters(), {1});
  auto const x = normal<float>({1, 16, 32, 3}, {2});
  auto const shapes = [](auto const& maps, Index h, Index w) {
    for (std::size_t l = 0; l < maps.size(); ++l)
      CHECK(maps[l].shape() == Shape{1, h >> l, w >> l, Vgg16::channels[l]});
  };
  auto const average = Vgg16{{.resize = 0}}(theta, x);
  shapes(average, 16, 32);
  shapes(Vgg16{{.resize = 48}}(theta, x), 48, 48);
  auto const maximum = Vgg16{{.pooling = Pooling::maximum, .resize = 0}}(theta, x);
  CHECK(same_bits(maximum[0], average[0]));
  for (Index i = 0; i < maximum[0].count(); ++i) REQUIRE(maximum[0][i] >= 0);
  CHECK(distance(maximum[1], average[1]) > 0.01);

  auto const metric =
      Lpips{FeatureExtractor{Vgg16{{.resize = 0}}, std::move(theta)}, uniform_heads(Vgg16::channels)};
  Tape<T> tape;
  auto const a = tape.watch(x);
  auto const d = metric(a, normal<float>({1, 16, 32, 3}, {3}));
  CHECK(d.shape() == Shape{1, 1, 1, 1});
  CHECK(d.value()[0] > 0);
  tape.backward(d);
  CHECK(magnitude(tape.gradient(a)) > 0);
  CHECK(magnitude(tape.gradient(a)) < 1);
}

TEST_CASE("impossible sizes and parameters of another network are rejected") {
  check_fails<ErrorCode::config>([] { Vgg16{{.resize = 100}}; }, {"Vgg16", "resize", "100", "16"});
  check_fails<ErrorCode::config>([] { Vgg16{{.resize = -16}}; }, {"Vgg16", "-16"});
  check_fails<ErrorCode::config>([] { Vgg16{{.resize = Index{1} << 62}}; },
                                 {"Vgg16", "4611686018427387904", "up to 16384"});
  ParameterTable other;
  other.add("w", {2, 2}, Initializer::zeros());
  check_fails<ErrorCode::config>(
      [&] {
        FeatureExtractor{Vgg16{}, Parameters<T>{other}};
      },
      {"FeatureExtractor", "1 parameters of 4", "26 parameters of 14714688"});
}
