// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include <consistency/core/shape.hpp>

namespace consistency {

/// How N operands are read when an element-wise operation walks its result: axes that every operand treats
/// alike are merged, so that most calls become one flat loop. Strides are 0 where an operand repeats.
template <std::size_t N>
struct BroadcastPlan {
  Shape shape;                                   // of the result
  Index inner = 1;                               // extent of the innermost merged axis
  Index outer = 1;                               // product of the others
  std::array<Index, N> inner_stride{};           // 0 or 1
  std::array<Index, Shape::max_rank> extents{};  // the others, innermost first
  std::array<std::array<Index, N>, Shape::max_rank> strides{};
  std::size_t axes = 0;

  template <class... Shapes>
  explicit BroadcastPlan(Shapes const&... operands) : BroadcastPlan(std::array<Shape, N>{operands...}) {}

  /// `least`: a shape that the result has at least, e.g. the target of a pure broadcast.
  explicit BroadcastPlan(std::array<Shape, N> const& operands, Shape least = {}) : shape{least} {
    for (auto const& s : operands) shape = broadcast(shape, s);
    auto pitch = std::array<Index, N>{};
    pitch.fill(1);
    bool first = true;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      auto stride = std::array<Index, N>{};
      for (std::size_t k = 0; k < N; ++k) {
        auto const missing = shape.rank() - operands[k].rank();
        auto const extent = axis < missing ? Index{1} : operands[k][axis - missing];
        stride[k] = extent == 1 ? 0 : pitch[k];
        pitch[k] *= extent;
      }
      if (shape[axis] == 1) continue;
      if (first) {
        inner = shape[axis];
        inner_stride = stride;
        first = false;
      } else if (axes == 0 && merges(inner_stride, inner, stride)) {
        inner *= shape[axis];
      } else if (axes > 0 && merges(strides[axes - 1], extents[axes - 1], stride)) {
        extents[axes - 1] *= shape[axis];
        outer *= shape[axis];
      } else {
        strides[axes] = stride;
        extents[axes++] = shape[axis];
        outer *= shape[axis];
      }
    }
  }

  /// Offsets of every operand at outer position `at`.
  std::array<Index, N> offsets(Index at) const {
    auto offset = std::array<Index, N>{};
    for (std::size_t axis = 0; axis < axes; ++axis) {
      auto const i = at % extents[axis];
      at /= extents[axis];
      for (std::size_t k = 0; k < N; ++k) offset[k] += i * strides[axis][k];
    }
    return offset;
  }

  bool contiguous() const {
    for (auto const stride : inner_stride)
      if (stride == 0) return false;
    return true;
  }

 private:
  static bool merges(std::array<Index, N> const& below, Index extent, std::array<Index, N> const& stride) {
    for (std::size_t k = 0; k < N; ++k)
      if (stride[k] != below[k] * extent) return false;
    return true;
  }
};

/// Which neighbouring axes of x are summed to reach `target`, as visits (batch, m, columns) of sums over m:
/// innermost first, each working on the result of the one before; at most two for four axes.
void for_summed_axes(Shape const& x, Shape const& target, auto const& visit) {
  auto const missing = x.rank() - target.rank();
  auto const summed = [&](std::size_t a) { return a < missing || (target[a - missing] == 1 && x[a] != 1); };
  auto axis = x.rank();
  Index columns = 1;
  while (axis > 0) {
    Index m = 1;
    while (axis > 0 && !summed(axis - 1)) columns *= x[--axis];
    while (axis > 0 && (summed(axis - 1) || x[axis - 1] == 1)) m *= x[--axis];
    if (m == 1) continue;
    Index batch = 1;
    for (std::size_t a = 0; a < axis; ++a) batch *= x[a];
    visit(batch, m, columns);
  }
}

}  // namespace consistency
