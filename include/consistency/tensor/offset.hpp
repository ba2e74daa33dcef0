// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <consistency/core/shape.hpp>

namespace consistency::detail {

/// Whether x(i, j, …) checks its indices: where the standard library does (_GLIBCXX_ASSERTIONS), and where
/// NDEBUG is not defined. Part of the names of the templates below, so that objects compiled with and without
/// checks may meet in one program.
#if defined(_GLIBCXX_ASSERTIONS) || !defined(NDEBUG)
constexpr bool checks_indices = true;
#else
constexpr bool checks_indices = false;
#endif

/// Throws shape_error naming the index, the axis and the shape, or the number of indices.
inline void check_indices(bool defined, Shape const& shape, Index const* indices, std::size_t count) {
  auto const fail_with = [&](std::string what, std::string found, std::string expected) {
    fail<shape_error>("Tensor of shape " + shape.text(), std::move(what), std::move(found),
                      std::move(expected));
  };
  if (!defined) fail_with("numbers", "an undefined tensor", "a tensor with numbers");
  if (count != shape.rank())
    fail_with("number of indices", number_text(count), number_text(shape.rank()) + ", one for each axis");
  for (std::size_t axis = 0; axis < count; ++axis)
    if (indices[axis] < 0 || indices[axis] >= shape[axis])
      fail_with("index of axis " + number_text(axis), number_text(indices[axis]),
                shape[axis] == 0 ? "none: the axis is empty" : "0 to " + number_text(shape[axis] - 1));
}

/// Where the number x(i, j, …) of a tensor lies among its numbers, which are in row-major order. Where
/// `checked`, throws shape_error for an undefined tensor, a number of indices other than the rank, or an
/// index outside its axis.
template <bool checked, class... I>
Index offset(bool defined, Shape const& shape, I... indices) {
  auto const all = std::array<Index, sizeof...(I)>{static_cast<Index>(indices)...};
  if constexpr (checked) check_indices(defined, shape, all.data(), all.size());
  Index at = 0;
  for (std::size_t axis = 0; axis < all.size(); ++axis) at = at * shape[axis] + all[axis];
  return at;
}

}  // namespace consistency::detail
