// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/resnet20.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

using T = Tensor<double>;

static_assert(Metric<Lpips<FeatureExtractor<ResNet20>>>);

TEST_CASE("ResNet-20 has 269,722 learned parameters, and a mean and a variance for 688 channels") {
  auto const net = ResNet20{};
  Index statistics = 0;
  for (auto const& entry : net.parameters().entries())
    if (entry.name.find("running_") != std::string::npos) statistics += entry.shape.count();
  CHECK(statistics == 2 * 688);
  CHECK(net.parameters().count() - statistics == 269'722);
}

TEST_CASE("ResNet-20 maps images to four maps, pooled features and logits") {
  auto const net = ResNet20{};
  auto const theta = some_parameters(net.parameters());
  auto const x = normal<double>({2, 16, 8, 3}, {2});
  auto const maps = net(theta, x);
  CHECK(maps[0].shape() == Shape{2, 16, 8, 16});
  CHECK(maps[1].shape() == Shape{2, 16, 8, 16});
  CHECK(maps[2].shape() == Shape{2, 8, 4, 32});
  CHECK(maps[3].shape() == Shape{2, 4, 2, 64});
  T const pooled = net.pooled(theta, x);
  CHECK(pooled.shape() == Shape{2, 64});
  auto total = 0.0;
  for (Index p = 0; p < 8; ++p) total += maps[3][8 * 64 + 64 * p + 5];
  CHECK(pooled[64 + 5] == doctest::Approx(total / 8).epsilon(1e-12));
  CHECK(net.logits(theta, x).shape() == Shape{2, 10});
}

TEST_CASE("a normalised convolution is the convolution and then the normalisation") {
  ParameterTable table;
  auto const layer = NormalizedConvolution{table, "conv", "bn", 3, 4, {.stride = 2}};
  auto const theta = some_parameters(table);
  auto const x = normal<double>({2, 6, 6, 3}, {3});
  T const expected = (conv2d(x, theta[0], 2) - theta[3]) / sqrt(theta[4] + 1e-5) * theta[1] + theta[2];
  CHECK(distance(T(layer(theta, x)), expected) < 1e-12);
}

TEST_CASE("the metric of ResNet-20 has the gradient of finite differences") {
  auto const net = ResNet20{};
  auto const metric =
      Lpips{FeatureExtractor{net, some_parameters(net.parameters())}, uniform_heads<T>(ResNet20::channels)};
  auto const x = normal<double>({1, 8, 8, 3}, {4});
  auto const y = normal<double>({1, 8, 8, 3}, {5});
  Tape<T> tape;
  auto const a = tape.watch(x);
  tape.backward(metric(a, y));
  auto const u = normal<double>(x.shape(), {6});
  auto const value = [&](double step) {
    T const d = metric(T(x + step * u), y);
    return d[0];
  };
  // Near enough that hardly a ReLU changes sides.
  CHECK(relative_error(dot(tape.gradient(a), u), (value(1e-7) - value(-1e-7)) / 2e-7) < 1e-6);
}
