// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/layer/windows.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

using T = Tensor<double>;
using windows::Axis;

namespace {

double pixel(T const& x, Index n, Index i, Index j, Index c) {
  auto const& s = x.shape();
  return x[((n * s[1] + i) * s[2] + j) * s[3] + c];
}

/// `combine(window's numbers within the image…)` at every place of a 3×3 window that begins at (stride ·
/// place + offset).
T by_loops(T const& x, Shape const& result, Index stride, Index offset, auto const& combine) {
  auto y = T{result};
  for (Index at = 0; at < y.count(); ++at) {
    auto const c = at % result[3], j = at / result[3] % result[2];
    auto const i = at / result[3] / result[2] % result[1], n = at / result[3] / result[2] / result[1];
    auto sum = 0.0, largest = -std::numeric_limits<double>::infinity();
    auto count = 0;
    for (Index row = stride * i + offset; row < stride * i + offset + 3; ++row)
      for (Index column = stride * j + offset; column < stride * j + offset + 3; ++column) {
        if (row < 0 || row >= x.shape()[1] || column < 0 || column >= x.shape()[2]) continue;
        sum += pixel(x, n, row, column, c);
        largest = std::max(largest, pixel(x, n, row, column, c));
        ++count;
      }
    y.mutable_data()[at] = combine(sum / count, largest);
  }
  return y;
}

constexpr auto mean_of = [](double mean, double) { return mean; };
constexpr auto largest_of = [](double, double largest) { return largest; };

}  // namespace

TEST_CASE("poolings of 3×3 windows are what loops over the pixels within an image give") {
  for (auto const& shape : {Shape{2, 7, 5, 3}, Shape{1, 6, 9, 4}, Shape{3, 3, 4, 1}}) {
    auto const x = normal<double>(shape, {1});  // negative numbers too
    auto const half = Shape{shape[0], (shape[1] - 1) / 2, (shape[2] - 1) / 2, shape[3]};
    CHECK(distance(max_pool_3_stride_2(x), by_loops(x, half, 2, 0, largest_of)) == 0);
    CHECK(distance(max_pool_3(x), by_loops(x, shape, 1, -1, largest_of)) == 0);
    CHECK(distance(average_pool_3(x), by_loops(x, shape, 1, -1, mean_of)) < 1e-15);
  }
}

TEST_CASE("poolings of images of one pixel are that pixel") {
  auto const x = normal<double>({2, 1, 1, 3}, {1});
  CHECK(distance(max_pool_3(x), x) == 0);
  CHECK(distance(average_pool_3(x), x) == 0);
}

TEST_CASE("places of a joined or padded image are its parts") {
  auto const a = normal<double>({2, 3, 4, 2}, {1});
  for (auto const axis : {Axis::rows, Axis::columns}) {
    auto const b = normal<double>(windows::with_length(a.shape(), axis, 5), {2});
    auto const both = windows::joined(a, b, axis);
    auto const length = windows::length(a.shape(), axis);
    CHECK(both.shape() == windows::with_length(a.shape(), axis, length + 5));
    CHECK(distance(windows::places(both, axis, 0, length), a) == 0);
    CHECK(distance(windows::places(both, axis, length, length + 5), b) == 0);
    auto const wide = windows::padded(a, axis, 2, 1);
    CHECK(distance(windows::places(wide, axis, 2, 2 + length), a) == 0);
    CHECK(magnitude(windows::places(wide, axis, 0, 2)) == 0);
    CHECK(magnitude(windows::places(wide, axis, 2 + length, 3 + length)) == 0);
  }
}

TEST_CASE("poolings of 3×3 windows have the gradient of finite differences") {
  auto const x = normal<double>({2, 5, 4, 2}, {3});
  auto const u = normal<double>(x.shape(), {4});
  auto const checked = [&](auto const& pool) {
    auto const weights = normal<double>(pool(x).shape(), {5});
    Tape<T> tape;
    auto const a = tape.watch(x);
    tape.backward(sum(weights * pool(a)));
    auto const value = [&](double step) {
      T const moved = x + step * u;
      return dot(weights, pool(moved));
    };
    CHECK(relative_error(dot(tape.gradient(a), u), (value(1e-6) - value(-1e-6)) / 2e-6) < 1e-7);
  };
  checked([](auto const& y) { return max_pool_3_stride_2(y); });
  checked([](auto const& y) { return max_pool_3(y); });
  checked([](auto const& y) { return average_pool_3(y); });
}
