// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/linf.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Metric<LInf> && LInf::norm);

using T = Tensor<double>;

TEST_CASE("the largest difference is that of the definition") {
  auto const x = tensor<float>({2, 1, 2, 2}, {1, -4, 0, 2, 5, 5, 5, 5});
  auto const y = tensor<float>({2, 1, 2, 2}, {0, 3, 0, 2.5, 5, 5, 5, 5});
  Tensor<float> const d = LInf{}(x, y);
  CHECK(d.shape() == Shape{2, 1, 1, 1});
  CHECK(d[0] == 7.0F);
  CHECK(d[1] == 0.0F);
  CHECK(same_bits<float>(LInf{}(y, x), d));
}

TEST_CASE("the largest difference of random samples is that of a plain loop") {
  for (auto const& shape : {Shape{1, 1}, Shape{3, 5}, Shape{4, 6, 7, 3}}) {
    auto const x = normal<double>(shape, {1});
    auto const y = normal<double>(shape, {2});
    T const d = LInf{}(x, y);
    auto const size = shape.count() / shape[0];
    for (Index n = 0; n < shape[0]; ++n) {
      auto largest = 0.0;
      for (Index i = n * size; i < (n + 1) * size; ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
      CHECK(d[n] == largest);
    }
  }
}

TEST_CASE("the gradient of the largest difference goes to the first element that attains it") {
  auto const x = tensor<double>({2, 4}, {1, -4, 4, 2, 0, 3, 1, 2});
  auto const y = T(Shape{2, 4}, 0.0);
  Tape<T> tape;
  auto const a = tape.watch(x);
  tape.backward(LInf{}(a, y));
  CHECK(same_numbers(tape.gradient(a), tensor<double>({2, 4}, {0, -1, 0, 0, 0, 1, 0, 0})));

  auto const along = LInf{}(Dual<T>{x, tensor<double>({2, 4}, {9, 2, 9, 9, 9, 5, 9, 9})}, y);
  CHECK(same_numbers(evaluated(along).tangent, tensor<double>({2, 1}, {-2, 5})));
}

TEST_CASE("a difference that is not a number is not hidden") {
  auto x = Tensor<float>(Shape{1, 40}, 1.0F);
  x.mutable_data()[17] = std::nanf("");
  Tensor<float> const d = LInf{}(x, Tensor<float>(Shape{1, 40}, 3.0F));
  CHECK(std::isnan(d[0]));
}
