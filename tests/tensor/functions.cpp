// SPDX-License-Identifier: MIT
#include <array>
#include <complex>
#include <span>
#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class T>
T numbered(Shape shape) {
  auto x = T{shape};
  for (Index i = 0; i < shape.count(); ++i)
    x.mutable_data()[i] = typename T::Scalar(static_cast<float>(i + 1));
  return x;
}

template <class T>
bool holds(T const& x, std::initializer_list<double> expected) {
  if (x.count() != static_cast<Index>(expected.size())) return false;
  Index i = 0;
  for (auto const e : expected)
    if (x[i++] != typename T::Scalar(static_cast<float>(e))) return false;
  return true;
}

}  // namespace

#define EVERY_TENSOR                                                                  \
  Tensor<float>, Tensor<double>, Tensor<float, Reference>, Tensor<double, Reference>, \
      Tensor<std::complex<double>, Reference>

TEST_CASE_TEMPLATE("sums and means of all elements", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{2, 3});
  CHECK(sum(x).shape() == Shape{});
  CHECK(holds(sum(x), {21}));
  CHECK(holds(mean(x), {3.5}));
  CHECK(holds(sum(x + x), {42}));
  CHECK(holds(sum(T{Shape{0, 3}}), {0}));
}

TEST_CASE_TEMPLATE("sums and means per sample keep the rank", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{2, 2, 2, 1});
  CHECK(sum_per_sample(x).shape() == Shape{2, 1, 1, 1});
  CHECK(holds(sum_per_sample(x), {10, 26}));
  CHECK(holds(mean_per_sample(x), {2.5, 6.5}));
  CHECK(mean_per_sample(numbered<T>(Shape{3})).shape() == Shape{3});
}

TEST_CASE_TEMPLATE("sum_to adds up the axes that the target lacks", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{2, 3});
  CHECK(holds(sum_to(x, Shape{3}), {5, 7, 9}));
  CHECK(holds(sum_to(x, Shape{2, 1}), {6, 15}));
  CHECK(holds(broadcast_to(numbered<T>(Shape{2, 1}), Shape{2, 3}), {1, 1, 1, 2, 2, 2}));
  CHECK(holds(broadcast_to(numbered<T>(Shape{3}), Shape{2, 3}), {1, 2, 3, 1, 2, 3}));
}

TEST_CASE_TEMPLATE("concat and slice work on the last axis", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{2, 2});
  CHECK(holds(concat(x, x), {1, 2, 1, 2, 3, 4, 3, 4}));
  CHECK(holds(slice(x, 1, 2), {2, 4}));
}

TEST_CASE_TEMPLATE("pixels move where they should", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{1, 2, 2, 1});
  CHECK(holds(upsample(x), {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}));
  CHECK(holds(downsample(x), {2.5}));
  CHECK(holds(downsample(upsample(x)), {1, 2, 3, 4}));
  CHECK(holds(blur(16.0 * x), {18, 21, 24, 27}));
  auto const wide = numbered<T>(Shape{1, 2, 4, 1});
  CHECK(holds(space_to_depth(wide, 2), {1, 2, 5, 6, 3, 4, 7, 8}));
  CHECK(holds(depth_to_space(space_to_depth(wide, 2), 2), {1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_CASE_TEMPLATE("a linear map multiplies and adds its bias", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{2, 2});
  auto const w = numbered<T>(Shape{2, 3});
  CHECK(holds(linear(x, w), {9, 12, 15, 19, 26, 33}));
  CHECK(holds(linear(x, w, numbered<T>(Shape{3})), {10, 14, 18, 20, 28, 36}));
}

TEST_CASE_TEMPLATE("a convolution is a cross-correlation with zeros around the image", T, EVERY_TENSOR) {
  auto const x = numbered<T>(Shape{1, 3, 3, 1});
  auto const w = numbered<T>(Shape{3, 3, 1, 1});
  CHECK(holds(conv2d(x, w), {94, 154, 106, 186, 285, 186, 106, 154, 94}));
  CHECK(holds(conv2d(x, w, 2), {94, 106, 106, 94}));
  CHECK(holds(conv2d(x, w, T{Shape{1}, typename T::Scalar(1)}, 2), {95, 107, 107, 95}));
  CHECK(holds(conv2d(x, numbered<T>(Shape{1, 1, 1, 2})),
              {1, 2, 2, 4, 3, 6, 4, 8, 5, 10, 6, 12, 7, 14, 8, 16, 9, 18}));
}

TEST_CASE_TEMPLATE("attention multiplies each head on its own", T, EVERY_TENSOR) {
  auto const q = numbered<T>(Shape{1, 1, 4});
  auto const k = numbered<T>(Shape{1, 2, 4});
  auto const p = attention_scores(q, k, {.heads = 2, .scale = 1});
  CHECK(p.shape() == Shape{1, 2, 1, 2});
  CHECK(holds(p, {5, 17, 25, 53}));
  auto const y = attention_mix(p, k, {.scale = 2});
  CHECK(y.shape() == Shape{1, 1, 4});
  CHECK(holds(y, {180, 224, 892, 1048}));
  CHECK(holds(attention_mix(p, q, {.scale = 1, .transposed = true}), {5, 10, 75, 100, 17, 34, 159, 212}));
}

TEST_CASE_TEMPLATE("group normalisation gives each group mean 0 and variance 1", T, Tensor<float>,
                   Tensor<double>, Tensor<double, Reference>) {
  using S = typename T::Scalar;
  auto const x = random<S, typename T::Backend>(Shape{2, 5, 7, 6}, 1, 3, 5);
  auto const y = group_norm(x, T{Shape{6}, S(1)}, T{Shape{6}, S(0)}, {.groups = 3, .epsilon = 0});
  for (Index n = 0; n < 2; ++n)
    for (Index group = 0; group < 3; ++group) {
      auto total = 0.0;
      auto squares = 0.0;
      for (Index i = 0; i < 35; ++i)
        for (Index c = 2 * group; c < 2 * group + 2; ++c) {
          auto const v = static_cast<double>(y[(n * 35 + i) * 6 + c]);
          total += v;
          squares += v * v;
        }
      CHECK(std::abs(total / 70) < 1e-6);
      CHECK(squares / 70 == doctest::Approx(1).epsilon(1e-5));
    }
}

TEST_CASE_TEMPLATE("group normalisation applies scale and shift and SiLU to what it normalised", T,
                   Tensor<float>, Tensor<double>, Tensor<double, Reference>) {
  using S = typename T::Scalar;
  auto const x = numbered<T>(Shape{1, 1, 2, 1});  // normalised: -1 and 1
  auto const y = [&](bool silu) {
    return group_norm(x, T{Shape{1}, S(2)}, T{Shape{1}, S(1)}, {.groups = 1, .epsilon = 0, .silu = silu});
  };
  CHECK(static_cast<double>(y(false)[0]) == doctest::Approx(-1));
  CHECK(static_cast<double>(y(false)[1]) == doctest::Approx(3));
  CHECK(static_cast<double>(y(true)[0]) == doctest::Approx(-1 / (1 + std::exp(1.0))));
  CHECK(static_cast<double>(y(true)[1]) == doctest::Approx(3 / (1 + std::exp(-3.0))));
}

TEST_CASE_TEMPLATE("softmax rows are positive and add up to 1 however large their numbers are", T,
                   Tensor<float>, Tensor<double>, Tensor<double, Reference>) {
  using S = typename T::Scalar;
  for (auto const range : {1.0, 30.0, 1e4}) {
    auto const y = softmax(random<S, typename T::Backend>(Shape{20, 37}, 1, -range, range));
    for (Index r = 0; r < 20; ++r) {
      auto total = 0.0;
      for (Index c = 0; c < 37; ++c) {
        total += static_cast<double>(y[r * 37 + c]);
        CHECK(y[r * 37 + c] >= S(0));
      }
      CHECK(total == doctest::Approx(1).epsilon(1e-6));
    }
  }
}

TEST_CASE("softmax does not change when a number is added to a row") {
  auto const x = random<double>(Shape{4, 9}, 1);
  Tensor<double> const moved = x + 100;
  CHECK(relative_error(softmax(moved), softmax(x)) < 1e-13);
}

TEST_CASE("the complex reference continues |x| analytically") {
  using C = std::complex<double>;
  auto const x = Tensor<C, Reference>{Shape{2}, std::span<C const>{std::array{C{-2, 1e-200}, C{3, 1e-200}}}};
  Tensor<C, Reference> const y = abs(x);
  CHECK(y[0] == C{2, -1e-200});
  CHECK(y[1] == C{3, 1e-200});
}

TEST_CASE("the complex reference normalises without conjugation") {
  using C = std::complex<double>;
  auto const real = random<double, Reference>(Shape{2, 3, 3, 4}, 1);
  auto const one = Tensor<double, Reference>{Shape{4}, 1.0};
  auto const zero = Tensor<double, Reference>{Shape{4}, 0.0};
  auto const as_complex = [](Tensor<double, Reference> const& t, C factor) {
    auto z = Tensor<C, Reference>{t.shape()};
    for (Index i = 0; i < t.count(); ++i) z.mutable_data()[i] = factor * t[i];
    return z;
  };
  auto const settings = op::GroupNorm{.groups = 2, .epsilon = 0};
  auto const y = group_norm(real, one, zero, settings);
  // An analytic function that is homogeneous of degree 0 on the positive reals is so on a ray of complex
  // numbers.
  auto const z = group_norm(as_complex(real, C{0.8, 0.6}), as_complex(one, 1), as_complex(zero, 1), settings);
  for (Index i = 0; i < y.count(); ++i) CHECK(std::abs(z[i] - y[i]) < 1e-13);
}
