// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/dinov2.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

using T = Tensor<double>;

namespace {

DinoV2 small_network() {
  return DinoV2{{.channels = 12, .blocks = 2, .heads = 3, .hidden = 20, .patch = 2, .grid = 3}};
}

/// Initial draws, vectors moved off 0 and 1.
Parameters<T> some_parameters(ParameterTable const& table) {
  auto theta = Parameters<T>::initialized(table, {1});
  for (auto const& entry : table.entries())
    for (Index i = 0; i < entry.shape.count(); ++i)
      if (entry.shape.rank() == 1)
        theta.flat().mutable_data()[entry.offset + i] += 0.3 * std::sin(static_cast<double>(i + 1));
  return theta;
}

/// Of one row, with ε = 10⁻⁶, by its definition.
T layer_norm(T const& x, T const& scale, T const& shift) {
  auto mean = 0.0, square = 0.0;
  auto const n = static_cast<double>(x.count());
  for (Index i = 0; i < x.count(); ++i) mean += x[i] / n;
  for (Index i = 0; i < x.count(); ++i) square += (x[i] - mean) * (x[i] - mean) / n;
  auto y = x.clone();
  for (Index i = 0; i < x.count(); ++i)
    y.mutable_data()[i] = (x[i] - mean) / std::sqrt(square + 1e-6) * scale[i] + shift[i];
  return y;
}

}  // namespace

TEST_CASE("DINOv2 ViT-L/14 has 304,367,616 parameters") {
  CHECK(DinoV2{}.parameters().count() == 304'367'616);
}

TEST_CASE("DINOv2 maps images of sides that its patch divides to features") {
  auto const net = small_network();
  auto const theta = some_parameters(net.parameters());
  CHECK(net(theta, normal<double>({2, 6, 6, 3}, {2})).shape() == Shape{2, 12});
  CHECK(net(theta, normal<double>({3, 4, 10, 3}, {2})).shape() == Shape{3, 12});
  CHECK_THROWS_AS(net(theta, normal<double>({1, 5, 6, 3}, {2})), shape_error);
}

TEST_CASE("settings that make no vision transformer are rejected") {
  CHECK_THROWS_AS((DinoV2{{.channels = 10, .blocks = 1, .heads = 3}}), config_error);
  CHECK_THROWS_AS((DinoV2{{.patch = 0}}), config_error);
  CHECK_THROWS_AS((DinoV2{{.grid = 0}}), config_error);
}

TEST_CASE("where LayerScale is 0, features are the class token and its position, normalised") {
  auto const net = small_network();
  auto theta = some_parameters(net.parameters());
  for (auto const* const block : {"blocks.0.", "blocks.1."})
    for (auto const* const scale : {"ls1.gamma", "ls2.gamma"})
      theta.assign(std::string{block} + scale, T(Shape{12}, 0.0));
  T const first = theta.at("cls_token").reshaped({12}) + theta.at("pos_embed").view(0, Shape{12});
  auto const expected = layer_norm(first, theta.at("norm.weight"), theta.at("norm.bias"));
  auto const features = net(theta, normal<double>({1, 6, 6, 3}, {2}));
  CHECK(distance(features.reshaped({12}), expected) < 1e-13);
}

TEST_CASE("without positions, features do not depend on the order of patches") {
  auto const net = small_network();
  auto theta = some_parameters(net.parameters());
  theta.assign("pos_embed", T(Shape{1, 10, 12}, 0.0));
  auto const x = normal<double>({1, 6, 6, 3}, {2});
  auto const rolled = [&](Index rows) {  // by whole patches
    auto y = x.clone();
    for (Index i = 0; i < x.count(); ++i) y.mutable_data()[i] = x[(i + rows * 18) % x.count()];
    return y;
  };
  CHECK(distance(net(theta, x), net(theta, rolled(2))) < 1e-13);
  CHECK(distance(net(theta, x), net(theta, rolled(1))) > 1e-3);
}

TEST_CASE("position embeddings are resized by PyTorch's bicubic weights") {
  // interpolate(eye(5), scale_factor = 3.1 / 5, mode = "bicubic") in float64, PyTorch 2.15
  constexpr auto expected = std::array{
      0.7141166795340879,   0.3347330150045317, -0.048849694538619204, 0.0, 0.0, -0.0044843660837159405,
      0.06958372495048837,  0.986022414487597,  -0.05112177335436874,  0.0, 0.0, 0.0,
      -0.08733656976939308, 0.5510630307811079, 0.5362735389882852};
  auto const weights = DinoV2::cubic_weights(5, 3);
  REQUIRE(weights.shape() == Shape{3, 5});
  for (Index i = 0; i < 15; ++i)
    CHECK(weights[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-12));
}

TEST_CASE("DINOv2 has the gradient of finite differences by images and parameters") {
  auto const net = small_network();
  auto const theta = some_parameters(net.parameters());
  auto const x = normal<double>({2, 4, 6, 3}, {3});  // another grid than that of the positions
  auto const weights = normal<double>({2, 12}, {4});
  auto const gradient = Parameters<T>{net.parameters()};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  auto const a = tape.watch(x);
  tape.backward(sum(weights * net(watched, a)));
  auto const u = normal<double>(x.shape(), {5});
  auto const v = normal<double>(theta.flat().shape(), {6});
  auto const value = [&](double step) {
    auto moved = theta;
    for (Index i = 0; i < v.count(); ++i) moved.flat().mutable_data()[i] += step * v[i];
    return dot(weights, net(moved, T(x + step * u)));
  };
  auto const slope = dot(tape.gradient(a), u) + dot(gradient.flat(), v);
  CHECK(relative_error(slope, (value(1e-6) - value(-1e-6)) / 2e-6) < 1e-7);
}
