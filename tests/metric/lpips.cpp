// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Two layers: a smooth function of 3×3 neighbourhoods, and its average at half the size.
struct SmoothFeatures {
  T weight = normal<double>({3, 3, 3, 5}, {1});

  auto operator()(Operand auto const& x) const {
    auto const h = evaluated(tanh(conv2d(x, weight)));
    return std::array{h, downsample(h)};
  }
};

/// The images themselves.
struct Pixels {
  auto operator()(Operand auto const& x) const { return std::array{evaluated(x)}; }
};

auto const channels = std::array<Index, 2>{5, 5};

auto smooth_metric() {
  return Lpips<SmoothFeatures, T>{{},
                                  {tensor<double>({5}, {0.5, 0, 2, 1, 0.1}), uniform_heads<T>(channels)[1]}};
}

static_assert(FeatureNetwork<SmoothFeatures, T> && !FeatureNetwork<double, T>);
static_assert(Lpips<SmoothFeatures, T>::layers == 2);

/// Images whose left half has no features at all.
T half_black(std::uint64_t seed) {
  auto x = normal<double>({2, 4, 4, 3}, {seed});
  for (Index i = 0; i < x.count(); ++i)
    if (i / 3 % 4 < 2) x.mutable_data()[i] = 0;
  return x;
}

}  // namespace

TEST_CASE("LPIPS has the value of its formula") {
  auto const x = normal<double>({3, 2, 2, 3}, {1});
  auto const y = normal<double>({3, 2, 2, 3}, {2});
  auto const head = tensor<double>({3}, {1, 0.5, 3});
  T const d = Lpips<Pixels, T>{{}, {head}}(x, y);
  CHECK(d.shape() == Shape{3, 1, 1, 1});
  for (Index n = 0; n < 3; ++n) {
    auto expected = 0.0;
    for (Index p = 4 * n; p < 4 * n + 4; ++p) {
      auto const length = [&](T const& v) {
        return std::hypot(v[3 * p], v[3 * p + 1], v[3 * p + 2]) + 1e-10;
      };
      for (Index c = 0; c < 3; ++c) {
        auto const difference = x[3 * p + c] / length(x) - y[3 * p + c] / length(y);
        expected += head[c] * difference * difference / 4;
      }
    }
    CHECK(d[n] == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("LPIPS is zero between equals, positive between others, and symmetric") {
  auto const metric = smooth_metric();
  auto const x = normal<double>({4, 6, 6, 3}, {1});
  auto const y = normal<double>({4, 6, 6, 3}, {2});
  T const zero = metric(x, x);
  for (auto const v : zero.values()) CHECK(v == 0);
  T const d = metric(x, y);
  for (auto const v : d.values()) CHECK(v > 0);
  CHECK(same_bits<double>(metric(y, x), d));
}

TEST_CASE("the gradient of LPIPS is that of finite differences, and none reaches a constant") {
  auto const metric = smooth_metric();
  auto const x = normal<double>({2, 4, 4, 3}, {3});
  auto const y = normal<double>({2, 4, 4, 3}, {4});
  Tape<T> tape;
  auto const a = tape.watch(x);
  auto const other = tape.watch(y);
  tape.backward(metric(a, stop_gradient(other)));
  CHECK_FALSE(tape.gradient(other).defined());
  for (std::uint64_t seed = 10; seed < 15; ++seed) {
    auto const u = normal<double>(x.shape(), {seed});
    auto const value = [&](double step) {
      T const total = sum(metric(x + step * u, y));
      return total[0];
    };
    CHECK(relative_error(dot(tape.gradient(a), u), (value(1e-5) - value(-1e-5)) / 2e-5) < 1e-6);
  }
}

TEST_CASE("zero features have finite derivatives of first and second order") {
  using X = Tensor<float>;
  using V = Variable<X>;
  auto const metric = Lpips<Pixels>{{}, uniform_heads(std::array<Index, 1>{3})};
  auto const black = X(Shape{1, 2, 2, 3}, 0.0F);
  for (auto const& y : {black, normal<float>({1, 2, 2, 3}, {1})}) {
    Tape<X> tape;
    auto const x = tape.watch(black);
    auto const d = metric(Dual<V>{x, V{normal<float>({1, 2, 2, 3}, {2})}}, y);
    tape.backward(d.tangent);
    for (auto const h : tape.gradient(x).values()) CHECK(std::isfinite(h));
    CHECK(std::isfinite(d.primal.value()[0]));
    CHECK(std::isfinite(d.tangent.value()[0]));
  }
}

TEST_CASE("the gradient beside zero features is that of finite differences") {
  auto const metric = Lpips<Pixels, T>{{}, uniform_heads<T>(std::array<Index, 1>{3})};
  auto const x = half_black(5);
  auto const y = half_black(6);
  Tape<T> tape;
  auto const a = tape.watch(x);
  tape.backward(metric(a, y));
  for (auto const g : tape.gradient(a).values()) REQUIRE(std::isfinite(g));
  auto u = half_black(7);  // moves only what has features
  auto const value = [&](double step) {
    T const total = sum(metric(x + step * u, y));
    return total[0];
  };
  CHECK(relative_error(dot(tape.gradient(a), u), (value(1e-5) - value(-1e-5)) / 2e-5) < 1e-7);
}

TEST_CASE("LPIPS has a symmetric Hessian, in every nesting of derivatives") {
  using V = Variable<T>;
  auto const metric = smooth_metric();
  auto const x = normal<double>({1, 4, 4, 3}, {20});
  auto const y = normal<double>({1, 4, 4, 3}, {21});
  auto const u = normal<double>(x.shape(), {22});
  auto const v = normal<double>(x.shape(), {23});
  auto const product = [&](T const& direction) {  // H · direction
    Tape<T> tape;
    auto const a = tape.watch(x);
    tape.backward(metric(Dual<V>{a, V{direction}}, y).tangent);
    return tape.gradient(a);
  };
  auto const uHv = dot(u, product(v));
  CHECK(relative_error(uHv, dot(v, product(u))) < 1e-11);
  using First = Dual<T>;
  auto const twice = metric(Dual<First>{First{x, u}, First{v}}, y);
  CHECK(relative_error(uHv, twice.tangent.tangent[0]) < 1e-11);
}

TEST_CASE("heads that do not fit the features are rejected") {
  using M = Lpips<SmoothFeatures, T>;
  auto const head = T(Shape{5}, 1.0);
  check_fails<ErrorCode::config>([&] { M({}, {head}); }, {"Lpips", "number of heads", "1", "2"});
  check_fails<ErrorCode::config>([&] { M({}, {head, T(Shape{1, 5}, 1.0)}); }, {"layer 1", "(1, 5)"});
  check_fails<ErrorCode::config>([&] { M({}, {T(Shape{5}, -0.5), head}); }, {"layer 0", "-0.5", "0 or more"});
  auto const x = T(Shape{1, 4, 4, 3}, 1.0);
  check_fails<ErrorCode::shape>(
      [&] {
        M({}, {head, T(Shape{4}, 1.0)})(x, x);
      },
      {"layer 1", "(1, 2, 2, 5)", "(4)"});
}

TEST_CASE("learned heads have the names of their authors' files and lose their empty axes") {
  auto const table = lpips_heads_table(std::array<Index, 2>{4, 8});
  CHECK(table.entries()[1].name == "lin1.model.1.weight");
  CHECK(table.entries()[1].shape == Shape{1, 1, 8, 1});
  auto const heads = lpips_heads(Parameters<T>::initialized(table, {1}));
  CHECK(heads.size() == 2);
  CHECK(same_numbers(heads[0], T(Shape{4}, 1.0)));
  CHECK(heads[1].shape() == Shape{8});
}
