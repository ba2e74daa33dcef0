// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/inception_v3.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

using T = Tensor<double>;

namespace {

/// A layer by its definition: every window that begins at (stride · place − padding), pixel by pixel.
T by_loops(T const& x, Parameters<T> const& theta, Index stride, Index down, Index across) {
  auto const &w = theta[0], &gamma = theta[1], &beta = theta[2], &mean = theta[3], &variance = theta[4];
  auto const kh = w.shape()[0], kw = w.shape()[1], in = w.shape()[2], out = w.shape()[3];
  auto const& s = x.shape();
  auto y = T{Shape{s[0], (s[1] + 2 * down - kh) / stride + 1, (s[2] + 2 * across - kw) / stride + 1, out}};
  for (Index at = 0; at < y.count(); ++at) {
    auto const o = at % out, j = at / out % y.shape()[2];
    auto const i = at / out / y.shape()[2] % y.shape()[1], n = at / out / y.shape()[2] / y.shape()[1];
    auto sum = 0.0;
    for (Index ky = 0; ky < kh; ++ky)
      for (Index kx = 0; kx < kw; ++kx) {
        auto const row = stride * i - down + ky, column = stride * j - across + kx;
        if (row < 0 || row >= s[1] || column < 0 || column >= s[2]) continue;
        for (Index c = 0; c < in; ++c)
          sum += x[((n * s[1] + row) * s[2] + column) * in + c] * w[((ky * kw + kx) * in + c) * out + o];
      }
    auto const normalized = (sum - mean[o]) / std::sqrt(variance[o] + 1e-3) * gamma[o] + beta[o];
    y.mutable_data()[at] = std::max(0.0, normalized);
  }
  return y;
}

}  // namespace

TEST_CASE("Inception-v3 has 23,850,960 learned parameters, and a mean and a variance for 17,216 channels") {
  auto const net = InceptionV3{};
  Index statistics = 0;
  for (auto const& entry : net.parameters().entries())
    if (entry.name.find("running_") != std::string::npos) statistics += entry.shape.count();
  CHECK(statistics == 2 * 17'216);
  CHECK(net.parameters().count() - statistics == 23'850'960);
}

TEST_CASE("Inception-v3 maps images to features, logits and spatial features") {
  auto const net = InceptionV3{};
  auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
  auto const x = normal<float>({2, 8, 12, 3}, {2});
  auto const features = net(theta, x);
  CHECK(features.shape() == Shape{2, 2048});
  CHECK(net.spatial(theta, x).shape() == Shape{2, 2023});
  auto const logits = net.logits(theta, features);
  CHECK(logits.shape() == Shape{2, 1008});
  Tensor<float> const difference = logits - net.unbiased_logits(theta, features);
  CHECK(distance(difference, Tensor<float>(Shape{2, 1008}, 0.0F)) == 0);  // initial biases are 0
}

TEST_CASE("Inception's pixel i of 299 lies at i · size / 299 of the image, and is scaled from bytes") {
  auto ramp = T{Shape{1, 46, 23, 3}};
  auto const at = [](Index place) { return static_cast<double>(place); };
  for (Index i = 0; i < ramp.count(); ++i)
    ramp.mutable_data()[i] = at(i / 3 / 23) / 100 - at(i / 3 % 23) / 50 + at(i % 3) / 10;
  auto const seen = inception_resize(ramp);
  CHECK(seen.shape() == Shape{1, 299, 299, 3});
  auto error = 0.0;
  for (Index i = 0; i < seen.count(); ++i) {
    auto const row = std::min(at(i / 3 / 299) * 46 / 299, 45.0);
    auto const column = std::min(at(i / 3 % 299) * 23 / 299, 22.0);
    auto const byte = 255 * (row / 100 - column / 50 + at(i % 3) / 10 + 1) / 2;
    error = std::max(error, std::abs(seen[i] - (byte - 128) / 128));
  }
  CHECK(error < 1e-13);
}

TEST_CASE("layers of Inception are convolution, normalisation and ReLU by their definitions") {
  auto const x = normal<double>({2, 9, 6, 3}, {3});
  auto const check = [&](InceptionConvolutionSettings s, Index down, Index across) {
    ParameterTable table;
    auto const layer = InceptionConvolution{table, "layer", 3, 4, s};
    auto const theta = some_parameters(table);
    T const y = layer(theta, x);
    T const expected = by_loops(x, theta, s.stride, down, across);
    REQUIRE(y.shape() == expected.shape());
    CHECK(distance(y, expected) < 1e-13);
  };
  check({}, 0, 0);
  check({.height = 3, .width = 3}, 1, 1);
  check({.height = 5, .width = 5}, 2, 2);
  check({.width = 7}, 0, 3);
  check({.height = 7}, 3, 0);
  check({.width = 3}, 0, 1);
  check({.height = 3}, 1, 0);
  check({.height = 3, .width = 3, .padded = false}, 0, 0);
  check({.height = 3, .width = 3, .stride = 2, .padded = false}, 0, 0);
}

TEST_CASE("a mixed block has the gradient of finite differences by images and parameters") {
  ParameterTable table;
  auto const block = mixed_block(table);
  CHECK(block.channels() == 2 + 4 + 2 + 3);
  auto const theta = some_parameters(table);
  auto const x = normal<double>({2, 5, 4, 3}, {4});
  auto const weights = normal<double>(block(theta, x).shape(), {5});

  auto const gradient = Parameters<T>{table};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  auto const a = tape.watch(x);
  tape.backward(sum(weights * block(watched, a)));

  auto const u = normal<double>(x.shape(), {6});
  auto const v = normal<double>(theta.flat().shape(), {7});
  auto const value = [&](double step) {
    auto moved = theta;
    for (Index i = 0; i < v.count(); ++i) moved.flat().mutable_data()[i] += step * v[i];
    return dot(weights, block(moved, T(x + step * u)));
  };
  auto const slope = dot(tape.gradient(a), u) + dot(gradient.flat(), v);
  // Near enough that hardly a ReLU changes sides.
  CHECK(relative_error(slope, (value(1e-7) - value(-1e-7)) / 2e-7) < 1e-6);

  Tape<T> of_images;  // parameters that stay as they are
  auto const b = of_images.watch(x);
  of_images.backward(sum(weights * block(theta, b)));
  CHECK(distance(of_images.gradient(b), tape.gradient(a)) < 1e-13);
}
