// SPDX-License-Identifier: MIT
#include <cmath>
#include <initializer_list>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class T>
T of(Shape shape, std::initializer_list<double> values) {
  auto x = T{shape};
  Index i = 0;
  for (auto const v : values) x.mutable_data()[i++] = static_cast<typename T::Scalar>(v);
  return x;
}

}  // namespace

#define EVERY_REAL_TENSOR Tensor<float>, Tensor<double>, Tensor<float, Reference>, Tensor<double, Reference>

TEST_CASE_TEMPLATE("of equal numbers the first is the maximum", T, EVERY_REAL_TENSOR) {
  auto const x = of<T>({1, 2, 4, 1}, {0, 0, 1, 3, 0, 0, 3, 2});
  auto const d = of<T>({1, 2, 4, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(same_bits(max_pool(x), of<T>({1, 1, 2, 1}, {0, 3})));
  CHECK(same_bits(apply(op::MaxPool{}, x, d), of<T>({1, 1, 2, 1}, {1, 4})));
  CHECK(same_bits(max_per_sample(x), of<T>({1, 1, 1, 1}, {3})));
  CHECK(same_bits(apply(op::MaxPerSample{}, x, d), of<T>({1, 1, 1, 1}, {4})));
}

TEST_CASE_TEMPLATE("no maximum hides a NaN wherever it stands", T, EVERY_REAL_TENSOR) {
  for (Index at = 0; at < 16; ++at) {
    auto x = of<T>({1, 2, 2, 4}, {5, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4});
    x.mutable_data()[at] = std::numeric_limits<typename T::Scalar>::quiet_NaN();
    CHECK(std::isnan(max_per_sample(x)[0]));
    for (Index c = 0; c < 4; ++c) CHECK(std::isnan(max_pool(x)[c]) == (c == at % 4));
  }
}

TEST_CASE_TEMPLATE("the maximum of two tensors is the larger number, infinite ones too, and hides no NaN", T,
                   EVERY_REAL_TENSOR) {
  using S = typename T::Scalar;
  constexpr auto infinity = std::numeric_limits<S>::infinity();
  constexpr auto nan = std::numeric_limits<S>::quiet_NaN();
  auto const a = std::array{S(1), S(-2), -infinity, infinity, nan, S(3), infinity};
  auto const b = std::array{S(0), S(-1), S(5), S(5), S(2), nan, infinity};
  auto const largest = std::array{S(1), S(-1), S(5), infinity, nan, nan, infinity};
  auto const tensor = [](auto const& x) { return T{Shape{7}, std::span<S const>{x}}; };
  CHECK(same_bits(T(maximum(tensor(a), tensor(b))), tensor(largest)));
  CHECK(T(maximum(tensor(a), 0.5))[1] == S(0.5));
}
