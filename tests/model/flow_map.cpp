// SPDX-License-Identifier: MIT
#include <array>
#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/parameterization/ctm_preconditioning.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

Mlp network(SecondTime second_time = SecondTime::gap) {
  return Mlp{{.dimensions = 2, .width = 16, .layers = 2, .condition = {.second_time = second_time}}};
}

/// check(flow map, θ with no zeros in it) for every parameterization.
template <class S>
void each(auto const& check) {
  auto const with = [&](auto const& X) {
    auto theta = X.template initialize<S>(Key{1});
    theta.assign("second_time.weight", normal<S>(theta.at("second_time.weight").shape(), {2}));
    check(X, theta);
  };
  with(FlowMap{network()});
  with(FlowMap{network(), Trigonometric{}});
  with(FlowMap{network(SecondTime::end), CtmPreconditioning{}, VarianceExploding{}});
}

template <class S>
Tensor<S> times_of(Index n, double low, double high) {
  Tensor<S> t{Shape{n, 1}};
  for (Index i = 0; i < n; ++i)
    t.mutable_data()[i] =
        static_cast<S>(low + (high - low) * static_cast<double>(i) / static_cast<double>(n));
  return t;
}

}  // namespace

TEST_CASE("a flow map from t to t is x to the last bit, in every parameterization") {
  using S = float;
  each<S>([](auto const& X, auto const& theta) {
    auto const x = normal<S>({200, 2}, {3});
    auto const t = times_of<S>(200, 0.01, 1);
    CHECK(same_numbers<S>(X(theta, x, t, t), x));
    CHECK_FALSE(same_numbers<S>(X(theta, x, Tensor<S>(1.01 * t), t), x));
  });
}

TEST_CASE("the consistency function of a flow map is its r = epsilon") {
  each<double>([](auto const& X, auto const& theta) {
    auto const x = normal<double>({5, 2}, {3});
    auto const t = times_of<double>(5, 0.2, 1);
    CHECK(same_bits(T(X(theta, x, t)), T(X(theta, x, t, T(t.shape(), X.process().range().smallest)))));
  });
}

TEST_CASE("tangents of a flow map along x, t and r are its differences, and their gradients too") {
  each<double>([](auto const& X, auto const& theta) {
    auto const x = normal<double>({6, 2}, {3}), dx = normal<double>({6, 2}, {4});
    auto const t = times_of<double>(6, 0.5, 1), r = times_of<double>(6, 0.05, 0.4);
    for (auto const& [at, dt, dr] :
         {std::array{1.0, 0.0, 0.0}, {1.0, 1.0, 0.0}, {0.0, 0.0, 1.0}, {0.3, -0.7, 0.4}}) {
      auto const column = [&](double number) { return T(t.shape(), number); };
      auto const moved = [&](auto const& at_theta, double h) -> T {
        return X(at_theta, T(x + h * at * dx), T(t + h * dt), T(r + h * dr));
      };
      constexpr auto h = 2e-4;
      auto const tangent = [&](auto const& at_theta) {
        using V = std::remove_cvref_t<decltype(at_theta[0])>;
        return V(X(at_theta, Dual<V>{V(x), V(T(at * dx))}, Dual<V>{V(t), V(column(dt))},
                   Dual<V>{V(r), V(column(dr))})
                     .tangent);
      };
      T const near = moved(theta, h) - moved(theta, -h), far = moved(theta, 2 * h) - moved(theta, -2 * h);
      CHECK(distance(tangent(theta), T((1 / (12 * h)) * (8.0 * near - far))) < 1e-9);

      Tape<T> tape;
      Parameters<Variable<T>> watched;
      auto gradient = Parameters<T>{theta.table()};
      watched.watch(tape, theta, gradient);
      auto const weights = normal<double>({6, 2}, {5});
      tape.backward(evaluated(sum(tangent(watched) * weights)));
      auto const direction = normal<double>(theta.flat().shape(), {6});
      auto const along = [&](double step) {
        auto there = theta;
        there.flat().assign(T(theta.flat() + step * direction));
        return evaluated(sum(tangent(there) * weights))[0];
      };
      auto const slope = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h);
      CHECK(evaluated(sum(gradient.flat() * direction))[0] == doctest::Approx(slope).epsilon(1e-9));
    }
  });
}

TEST_CASE("on the linear path the network is the average velocity from t to r") {
  FlowMap const X{network()};
  auto const theta = X.initialize<double>(Key{1});
  auto const x = normal<double>({5, 2}, {3});
  auto const t = times_of<double>(5, 0.5, 1), r = times_of<double>(5, 0.1, 0.4);
  T const u = X.given(Condition<T>{}).output(theta, x, t, r);
  CHECK(distance(u, T((x - X(theta, x, t, r)) / (t - r))) < 1e-14);
}

TEST_CASE("a flow map begins as a network of (x, t): it does not see r") {
  FlowMap const X{network()};
  auto const theta = X.initialize<double>(Key{1});
  auto const x = normal<double>({5, 2}, {3});
  auto const t = times_of<double>(5, 0.5, 1);
  auto const F = [&](double r) -> T { return X.given(Condition<T>{}).output(theta, x, t, T(t.shape(), r)); };
  CHECK(same_bits(F(0.1), F(0.4)));
}

TEST_CASE("a flow map to a later time, from before epsilon or without a second time is rejected") {
  FlowMap const X{network(), LinearPath{.epsilon = 0.1}};
  auto const theta = X.initialize(Key{1});
  auto const x = normal<float>({3, 2}, {3});
  auto const at = [](double t) { return times<float>(3, t); };
  auto later = at(0.5);
  later.mutable_data()[1] = 0.75F;
  check_fails<ErrorCode::config>([&] { X(theta, x, at(0.5), later); },
                                 {"FlowMap", "sample 1", "0.5 and 0.75", "r <= t"});
  check_fails<ErrorCode::config>([&] { X(theta, x, at(0.5), at(0.05)); }, {"FlowMap", "0.05", "0.1"});
  check_fails<ErrorCode::config>([&] { X(theta, x, at(0.05)); }, {"FlowMap", "0.05", "0.1"});
  check_fails<ErrorCode::shape>([&] { X(theta, x, at(0.5), times<float>(2, 0.2)); }, {"FlowMap", "(2, 1)"});
  check_fails<ErrorCode::config>([] { FlowMap{Mlp{}}; }, {"FlowMap", "second time", "SecondTime::gap"});
}
