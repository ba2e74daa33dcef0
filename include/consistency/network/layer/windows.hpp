// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <consistency/tensor/functions.hpp>

/// Windows of images (n, h, w, c) along one axis, made of other operations: what evaluated feature networks
/// need beside square convolutions and pooling by 2.
namespace consistency::windows {

enum class Axis : std::uint8_t { rows = 1, columns = 2 };

inline Index length(Shape const& x, Axis axis) { return x[static_cast<std::size_t>(axis)]; }
inline Shape with_length(Shape const& x, Axis axis, Index count) {
  return x.with(static_cast<std::size_t>(axis), count);
}
/// An image as lines whose last axis is `axis` and all behind it.
inline Shape lines(Shape const& x, Axis axis) {
  return axis == Axis::rows ? Shape{x[0], x[1] * x[2] * x[3]} : Shape{x[0] * x[1], x[2] * x[3]};
}

/// Places [begin, end) of an axis.
auto places(Operand auto const& image, Axis axis, Index begin, Index end) {
  auto const& x = evaluated(image);  // (n, h, w, c)
  auto const flat = lines(x.shape(), axis);
  auto const place = length(x.shape(), axis) == 0 ? 0 : flat[1] / length(x.shape(), axis);
  return reshape(slice(reshape(x, flat), begin * place, end * place),
                 with_length(x.shape(), axis, end - begin));
}

/// a, then b along an axis.
auto joined(Operand auto const& first, Operand auto const& second, Axis axis) {
  auto const& a = evaluated(first);
  auto const& b = evaluated(second);
  auto const count = length(a.shape(), axis) + length(b.shape(), axis);
  return reshape(concat(reshape(a, lines(a.shape(), axis)), reshape(b, lines(b.shape(), axis))),
                 with_length(a.shape(), axis, count));
}

/// With zeros before and behind.
template <Operand X>
auto padded(X const& image, Axis axis, Index before, Index behind) {
  using T = tensor_of_t<value_t<X>>;
  auto const& x = evaluated(image);
  auto const zeros = [&](Index count) {
    return T(with_length(x.shape(), axis, count), typename T::Scalar(0));
  };
  return joined(joined(zeros(before), x, axis), zeros(behind), axis);
}

/// Places begin, begin + 2, …, `count` of them.
auto every_second(Operand auto const& image, Axis axis, Index begin, Index count) {
  auto const& x = evaluated(image);
  auto const even = begin + 2 * count <= length(x.shape(), axis);
  auto const pairs = places(x, axis, even ? begin : begin - 1, (even ? begin : begin - 1) + 2 * count);
  auto const halved = with_length(x.shape(), axis, count);
  auto const flat = lines(halved, axis);
  auto const place = flat[1] / count;
  auto const folded = reshape(pairs, {flat[0] * count, 2 * place});
  return reshape(slice(folded, even ? 0 : place, even ? place : 2 * place), halved);
}

}  // namespace consistency::windows

namespace consistency {

/// The largest of each 3×3 window, at every second place where the window lies within the image: (n, h, w, c)
/// → (n, (h − 1) / 2, (w − 1) / 2, c), rounded down. h and w are 3 or more.
auto max_pool_3_stride_2(Operand auto const& image) {
  auto const along = [](auto const& x, windows::Axis axis) {
    auto const count = (windows::length(x.shape(), axis) - 1) / 2;
    auto const at = [&](Index begin) { return windows::every_second(x, axis, begin, count); };
    return evaluated(maximum(maximum(at(0), at(1)), at(2)));
  };
  return along(along(evaluated(image), windows::Axis::rows), windows::Axis::columns);
}

/// The largest of each 3×3 window around a pixel, as far as it lies within the image: (n, h, w, c) → the
/// same.
auto max_pool_3(Operand auto const& image) {
  auto const along = [](auto const& x, windows::Axis axis) {
    auto const n = windows::length(x.shape(), axis);
    auto const before =
        windows::joined(windows::places(x, axis, 0, 1), windows::places(x, axis, 0, n - 1), axis);
    auto const behind =
        windows::joined(windows::places(x, axis, 1, n), windows::places(x, axis, n - 1, n), axis);
    return evaluated(maximum(maximum(before, x), behind));  // at an edge, its own pixel twice
  };
  return along(along(evaluated(image), windows::Axis::rows), windows::Axis::columns);
}

/// The mean of each 3×3 window around a pixel, of those that lie within the image: (n, h, w, c) → the same.
template <Operand X>
auto average_pool_3(X const& image) {
  using T = tensor_of_t<value_t<X>>;
  auto const along = [](auto const& x, windows::Axis axis) {
    auto const n = windows::length(x.shape(), axis);
    auto const sums = [&](auto const& y) {
      auto const wide = windows::padded(y, axis, 1, 1);
      auto const at = [&](Index begin) { return windows::places(wide, axis, begin, begin + n); };
      return evaluated(at(0) + at(1) + at(2));
    };
    auto one = Shape{1, 1, 1, 1};
    auto const ones = T(windows::with_length(one, axis, n), typename T::Scalar(1));
    return evaluated(sums(x) / sums(ones));
  };
  return along(along(evaluated(image), windows::Axis::rows), windows::Axis::columns);
}

}  // namespace consistency
