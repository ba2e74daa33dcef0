// SPDX-License-Identifier: MIT
#include <limits>
#include <set>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<Mlp>);

namespace {

using T = Tensor<double>;

}  // namespace

TEST_CASE("a perceptron of any size maps vectors and times to vectors") {
  for (Index const dimensions : {1, 2, 7})
    for (Index const width : {1, 33})
      for (Index const layers : {1, 4}) {
        auto const net = Mlp{{.dimensions = dimensions, .width = width, .layers = layers, .embedding = 6}};
        auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
        CHECK(net.data_shape() == Shape{dimensions});
        for (Index const n : {1, 5}) {
          Tensor<float> const y = net(theta, normal<float>({n, dimensions}, {2}), times<float>(n, 0.4));
          CHECK(y.shape() == Shape{n, dimensions});
        }
      }
}

TEST_CASE("a perceptron has the parameters of its layers under names of their own") {
  auto const net = Mlp{{.dimensions = 3, .width = 10, .layers = 2, .embedding = 4}};
  CHECK(net.parameters().count() == (3 + 4) * 10 + 10 + (10 + 4) * 10 + 10 + 10 * 3 + 3);
  std::set<std::string> names;
  for (auto const& entry : net.parameters().entries()) names.insert(entry.name);
  CHECK(names == std::set<std::string>{"hidden0.weight", "hidden0.bias", "hidden1.weight", "hidden1.bias",
                                       "out.weight", "out.bias"});
}

TEST_CASE("a perceptron of one layer is the formula") {
  auto const net = Mlp{{.dimensions = 2, .width = 5, .layers = 1, .embedding = 4}};
  auto const theta = Parameters<T>::initialized(net.parameters(), {3});
  auto const x = normal<double>({4, 2}, {4});
  auto const t = normal<double>({4, 1}, {5});
  T const e = net.settings().time(t, 4);
  T const y = net(theta, x, t);
  for (Index n = 0; n < 4; ++n)
    for (Index out = 0; out < 2; ++out) {
      auto expected = theta[3][out];
      for (Index j = 0; j < 5; ++j) {
        auto h = theta[1][j];
        for (Index i = 0; i < 6; ++i) h += (i < 2 ? x[2 * n + i] : e[4 * n + i - 2]) * theta[0][5 * i + j];
        expected += h / (1 + std::exp(-h)) * theta[2][2 * j + out];
      }
      CHECK(y[2 * n + out] == doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("impossible sizes of a perceptron are rejected with the numbers") {
  check_fails<ErrorCode::config>([] { Mlp{{.dimensions = 0}}; }, {"Mlp", "dimensions 0"});
  check_fails<ErrorCode::config>([] { Mlp{{.width = -4}}; }, {"Mlp", "width -4"});
  check_fails<ErrorCode::config>([] { Mlp{{.layers = 0}}; }, {"Mlp", "layers 0"});
  check_fails<ErrorCode::config>([] { Mlp{{.embedding = 7}}; }, {"Mlp", "embedding 7", "even"});
  check_fails<ErrorCode::config>([] { Mlp{{.embedding = 0}}; }, {"Mlp", "embedding 0"});
  constexpr auto most = std::numeric_limits<Index>::max();
  check_fails<ErrorCode::config>([] { Mlp{{.layers = most}}; },
                                 {"Mlp", "layers 9223372036854775807", "1024"});
  check_fails<ErrorCode::config>([] { Mlp{{.dimensions = most}}; }, {"dimensions 9223372036854775807"});
  check_fails<ErrorCode::config>([] { Mlp{{.width = most}}; }, {"width 9223372036854775807", "1048576"});
  check_fails<ErrorCode::config>([] { Mlp{{.embedding = most - 1}}; }, {"embedding 9223372036854775806"});
  check_fails<ErrorCode::config>([] { Mlp{{.time = {.scale = 0}}}; }, {"TimeEmbedding", "scale"});
}

TEST_CASE("data and times of the wrong shape are rejected with the shapes") {
  auto const net = Mlp{{.dimensions = 2, .width = 8, .embedding = 4}};
  auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
  auto const run = [&](Shape const& x, Shape const& t) {
    net(theta, Tensor<float>(x, 0.0F), Tensor<float>(t, 1.0F));
  };
  run({3, 2}, {3, 1});
  check_fails<ErrorCode::shape>([&] { run({3, 5}, {3, 1}); }, {"(3, 9)", "(6, 8)"});
  check_fails<ErrorCode::shape>([&] { run({3, 2}, {4, 1}); }, {"(3, 2)", "(4, 4)"});
  check_fails<ErrorCode::shape>([&] { run({3, 2}, {3, 2}); }, {"(3, 2)", "(3, 1)"});
}

TEST_CASE("a perceptron gives the same bits for every value type, and its derivatives agree") {
  auto const net = Mlp{{.dimensions = 3, .width = 16, .layers = 3, .embedding = 8}};
  auto const theta = Parameters<T>::initialized(net.parameters(), {6});
  auto const gradient = Parameters<T>{net.parameters()};
  auto const x = normal<double>({5, 3}, {7});
  auto const t = normal<double>({5, 1}, {8});
  auto const dx = normal<double>({5, 3}, {9});
  auto const dt = normal<double>({5, 1}, {10});
  T const y = net(theta, x, t);

  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  auto const reverse = net(watched, x, t);
  CHECK(same_bits(stop_gradient(reverse), y));

  auto const forward = net(theta, Dual<T>{x, dx}, Dual<T>{t, dt});
  CHECK(same_bits(forward.primal, y));
  constexpr auto h = 1e-5;
  T const slope =
      (net(theta, T(x + h * dx), T(t + h * dt)) - net(theta, T(x - h * dx), T(t - h * dt))) / (2 * h);
  CHECK(distance(forward.tangent, slope) < 1e-8 * magnitude(slope));

  auto const both = net(watched, Dual<Variable<T>>{x, dx}, Dual<Variable<T>>{t, dt});
  CHECK(same_bits(stop_gradient(both), y));
  CHECK(same_bits(stop_gradient(both.tangent), forward.tangent));

  auto const weights = normal<double>({5, 3}, {11});
  tape.backward(sum(weights * reverse));
  auto const direction = normal<double>({1, theta.flat().count()}, {12});
  auto const loss = [&](double step) {
    auto moved = theta;
    for (Index i = 0; i < direction.count(); ++i) moved.flat().mutable_data()[i] += step * direction[i];
    return dot(weights, T(net(moved, x, t)));
  };
  CHECK(relative_error(dot(gradient.flat(), direction), (loss(h) - loss(-h)) / (2 * h)) < 1e-7);
}
