// SPDX-License-Identifier: MIT
#include <algorithm>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/resized_l2.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(ResizedL2::twice_differentiable);

using T = Tensor<double>;

TEST_CASE("images that already have the size are compared as they are") {
  auto const x = normal<float>({3, 32, 32, 3}, {1});
  auto const y = normal<float>({3, 32, 32, 3}, {2});
  CHECK(same_bits<float>(ResizedL2{}(x, y), L2{}(x, y)));
}

TEST_CASE("resizing keeps constants, and linear ramps but for the clamped edges") {
  auto ramp = T{Shape{1, 8, 4, 1}};
  for (Index i = 0; i < 8; ++i)
    for (Index j = 0; j < 4; ++j)
      ramp.mutable_data()[4 * i + j] = 3 * static_cast<double>(i) - static_cast<double>(j);
  for (Index const height : {3, 8, 21})
    for (Index const width : {2, 4, 9}) {
      T const y = resize(ramp, height, width);
      CHECK(y.shape() == Shape{1, height, width, 1});
      for (Index i = 0; i < height; ++i)
        for (Index j = 0; j < width; ++j) {
          auto const at = [](Index k, double from, Index to) {
            return std::clamp((static_cast<double>(k) + 0.5) * from / static_cast<double>(to) - 0.5, 0.0,
                              from - 1);
          };
          CHECK(y[i * width + j] == doctest::Approx(3 * at(i, 8, height) - at(j, 4, width)).epsilon(1e-12));
        }
    }
  T const constant = resize(T(Shape{2, 5, 7, 3}, 0.75), 11, 4);
  CHECK(distance(constant, T(Shape{2, 11, 4, 3}, 0.75)) < 1e-15);
}

TEST_CASE("the distance of resized images is the formula, and its gradient that of finite differences") {
  auto const metric = ResizedL2{.height = 3, .width = 5};
  auto const x = normal<double>({2, 6, 4, 3}, {3});
  auto const y = normal<double>({2, 6, 4, 3}, {4});
  T const d = metric(x, y);
  CHECK(d.shape() == Shape{2, 1, 1, 1});
  CHECK(distance(d, T(L2{}(resize(x, 3, 5), resize(y, 3, 5)))) < 1e-14);
  Tape<T> tape;
  auto const a = tape.watch(x);
  tape.backward(metric(a, y));
  auto const u = normal<double>(x.shape(), {5});
  auto const value = [&](double step) {
    T const total = sum(metric(x + step * u, y));
    return total[0];
  };
  CHECK(relative_error(dot(tape.gradient(a), u), (value(1e-5) - value(-1e-5)) / 2e-5) < 1e-8);
}

TEST_CASE("vectors have no size to change and are rejected") {
  check_fails<ErrorCode::shape>(
      [] {
        ResizedL2{}(Tensor<float>(Shape{2, 3}, 0), Tensor<float>(Shape{2, 3}, 0));
      },
      {"resize", "(2, 3)", "(n, h, w, c)"});
}
