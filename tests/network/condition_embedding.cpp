// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class S>
Condition<Tensor<S>> labels(std::vector<Index> const& of) {
  return to_numbers<Tensor<S>>(Condition<Tensor<float>>{ClassLabels{.labels = of, .classes = 5}});
}

UNet unet(ConditionSettings condition) {
  return UNet{
      {.channels = 8, .blocks = 1, .groups = 4, .embedding = 16, .condition = condition, .image = {8, 8, 1}}};
}
SongUNet ddpmpp(ConditionSettings condition) {
  return SongUNet{{.channels = 8,
                   .multipliers = {1, 1},
                   .blocks = 1,
                   .attention = {},
                   .groups = 2,
                   .embedding = 16,
                   .condition = condition,
                   .image = {8, 8, 1}}};
}
Mlp mlp(ConditionSettings condition) { return Mlp{{.dimensions = 3, .width = 12, .condition = condition}}; }

/// check(network of a condition, its data) for the three.
void each(ConditionSettings condition, auto const& check) {
  check(mlp(condition), Shape{3});
  check(unet(condition), Shape{8, 8, 1});
  check(ddpmpp(condition), Shape{8, 8, 1});
}

Shape batch_of(Index n, Shape const& one) {
  Shape all{n};
  for (auto const extent : one) all.push_back(extent);
  return all;
}

}  // namespace

TEST_CASE("networks register one linear map for their condition, and without one nothing") {
  auto const count = [](auto const& net) { return net.parameters().entries().size(); };
  CHECK(count(mlp({.features = 5})) == count(mlp({})) + 2);
  CHECK(count(unet({.features = 5})) == count(unet({})) + 2);
  CHECK(count(ddpmpp({.features = 5})) == count(ddpmpp({})) + 2);
  CHECK(ddpmpp({.features = 5}).parameters().find("map_label.weight"));
  CHECK(unet({.features = 5}).parameters().find("condition.weight"));
  CHECK(mlp({}).parameters().text() == Mlp{{.dimensions = 3, .width = 12}}.parameters().text());
  CHECK_FALSE(
      mlp({.features = 5, .null = false}).parameters().same_meaning(mlp({.features = 5}).parameters()));
}

TEST_CASE("a condition is a linear map of its features, added to those of the time") {
  auto const net = mlp({.features = 5});
  auto theta = Parameters<Tensor<double>>::initialized(net.parameters(), {1});
  auto const x = normal<double>({2, 3}, {2});
  auto const time = times<double>(2, 0.3);
  auto const of = [&](std::vector<Index> const& classes) -> Tensor<double> {
    return net(theta, x, Conditions{time, labels<double>(classes)}, Mode{});
  };
  CHECK(distance(of({1, 2}), of({1, 3})) > 1e-4);
  CHECK(same_bits(of({1, 2}).view(0, {1, 3}), of({1, 3}).view(0, {1, 3})));
  // √5 times a row of the map is a row of the features: with all rows the same no class tells from another.
  auto const& weight = theta.at("condition.weight");
  auto rows = weight.clone();
  for (Index i = 0; i < rows.count(); ++i) rows.mutable_data()[i] = weight[i % weight.shape()[1]];
  theta.assign("condition.weight", rows);
  CHECK(same_bits(of({1, 2}), of({4, 0})));
}

TEST_CASE("every network takes a second time, or its gap to the first, and neither more nor less") {
  for (auto const kind : {SecondTime::end, SecondTime::gap})
    each({.second_time = kind}, [&](auto const& net, Shape const& one) {
      auto theta = Parameters<Tensor<double>>::initialized(net.parameters(), {1});
      auto const x = normal<double>(batch_of(2, one), {2});
      auto const column = [&](double t) { return Tensor<double>(x.shape().per_sample(), t); };
      auto const at = [&](double t, double r) -> Tensor<double> {
        return net(theta, x, Conditions{column(t), Condition<Tensor<double>>{}, column(r)}, Mode{});
      };
      CHECK(same_bits(at(0.5, 0.25), at(0.5, 0)));  // as it begins
      auto const id = theta.table().find("second_time.weight");
      REQUIRE(id);
      for (ParameterId i = 0; i < theta.table().entries().size(); ++i)
        theta.assign(theta.table().entries()[i].name, normal<double>(theta[i].shape(), {3}));
      CHECK_FALSE(same_bits(at(0.5, 0.25), at(0.5, 0)));
      check_fails<ErrorCode::config>([&] { net(theta, x, column(0.5), Mode{}); },
                                     {"second time", "found none"});
    });
  each({}, [](auto const& net, Shape const& one) {
    auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
    auto const x = normal<float>(batch_of(2, one), {2});
    auto const t = Tensor<float>(x.shape().per_sample(), 0.5F);
    check_fails<ErrorCode::config>(
        [&] {
          net(theta, x, Conditions{t, Condition<Tensor<float>>{}, t}, Mode{});
        },
        {"second time", "found c_noise(r)", "SecondTime::gap"});
  });
  CHECK_FALSE(mlp({.second_time = SecondTime::end})
                  .parameters()
                  .same_meaning(mlp({.second_time = SecondTime::gap}).parameters()));
}

TEST_CASE("a condition that is missing, too much or of another size is rejected with both sizes") {
  each({.features = 5}, [](auto const& net, Shape const& one) {
    auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
    auto const x = normal<float>(batch_of(2, one), {2});
    auto const time = Tensor<float>(x.shape().per_sample(), 0.3F);
    check_fails<ErrorCode::config>([&] { net(theta, x, time, Mode{}); },
                                   {"condition", "found none", "5 features"});
    auto const three = Condition<Tensor<float>>{ClassLabels{.labels = {0, 1}, .classes = 3}};
    check_fails<ErrorCode::config>(
        [&] {
          net(theta, x, Conditions{time, three}, Mode{});
        },
        {"found 3 features", "5 features"});
    net(theta, x, Conditions{time, labels<float>({4, 0})}, Mode{});
  });
  each({}, [](auto const& net, Shape const& one) {
    auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {1});
    auto const x = normal<float>(batch_of(2, one), {2});
    auto const time = Tensor<float>(x.shape().per_sample(), 0.3F);
    check_fails<ErrorCode::config>(
        [&] {
          net(theta, x, Conditions{time, labels<float>({4, 0})}, Mode{});
        },
        {"found 5 features", "expected none"});
  });
  check_fails<ErrorCode::config>([] { mlp({.features = -1}); }, {"features of the condition", "-1"});
}

TEST_CASE("derivatives by parameters, data and time of networks with a condition are those of differences") {
  using T = Tensor<double>;
  each({.features = 5}, [](auto const& net, Shape const& one) {
    auto const theta = Parameters<T>::initialized(net.parameters(), {1});
    auto const x = normal<double>(batch_of(2, one), {2});
    auto const time = T(x.shape().per_sample(), 0.3);
    auto const condition = labels<double>({4, 1});
    auto const weights = normal<double>(x.shape(), {3});
    auto const value = [&](Parameters<T> const& at, T const& data, T const& when) {
      T const y = net(at, data, Conditions{when, condition}, Mode{});
      return T(sum(y * weights))[0];
    };
    // Reverse mode, along one direction of θ.
    Tape<T> tape;
    auto gradient = Parameters<T>{theta.table()};
    Parameters<Variable<T>> watched;
    watched.watch(tape, theta, gradient);
    tape.backward(evaluated(sum(net(watched, x, Conditions{time, condition}, Mode{}) * weights)));
    auto const direction = Parameters<T>::initialized(net.parameters(), {4});
    auto const moved = [&](double h) {
      auto there = theta;
      there.flat().assign(T(theta.flat() + h * direction.flat()));
      return there;
    };
    constexpr auto h = 1e-5;
    auto const slope = (value(moved(h), x, time) - value(moved(-h), x, time)) / (2 * h);
    CHECK(T(sum(gradient.flat() * direction.flat()))[0] == doctest::Approx(slope).epsilon(1e-6));
    // Forward mode, along data and time.
    auto const dx = normal<double>(x.shape(), {5});
    auto const dt = T(time.shape(), 0.7);
    auto const forward = net(theta, Dual<T>{x, dx}, Conditions{Dual<T>{time, dt}, condition}, Mode{});
    auto const along =
        (value(theta, T(x + h * dx), T(time + h * dt)) - value(theta, T(x - h * dx), T(time - h * dt))) /
        (2 * h);
    CHECK(T(sum(forward.tangent * weights))[0] == doctest::Approx(along).epsilon(1e-6));
  });
}
