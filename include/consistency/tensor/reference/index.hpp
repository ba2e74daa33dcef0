// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include <consistency/tensor/value.hpp>

namespace consistency {

/// apply for one operand: the scalar std::complex makes std::apply a candidate, and this one is the better
/// match.
template <class Op, class X>
  requires is_tensor<std::remove_cvref_t<X>> &&
           std::same_as<typename std::remove_cvref_t<X>::Backend, Reference>
auto apply(Op&& op, X&& x) {
  return Kernel<std::remove_cvref_t<Op>, Reference>::value(op, x);
}

}  // namespace consistency

namespace consistency::reference {

/// The indices of an element, outermost first.
using Position = std::array<Index, Shape::max_rank>;

/// Where element (i, j, …) stands in row-major order.
Index at(Shape const& shape, auto... indices) {
  Index offset = 0;
  std::size_t axis = 0;
  ((offset = offset * shape[axis++] + indices), ...);
  return offset;
}

inline Position position(Shape const& shape, Index offset) {
  Position p{};
  for (auto axis = shape.rank(); axis-- > 0;) {
    p[axis] = offset % shape[axis];
    offset /= shape[axis];
  }
  return p;
}

/// Where an operand is read for element `p` of a result that it broadcasts to: axes are aligned at the last,
/// and an axis of extent 1 has one element for all.
inline Index broadcast_at(Shape const& operand, Shape const& result, Position const& p) {
  auto const missing = result.rank() - operand.rank();
  Index offset = 0;
  for (std::size_t axis = 0; axis < operand.rank(); ++axis)
    offset = offset * operand[axis] + (operand[axis] == 1 ? 0 : p[axis + missing]);
  return offset;
}

/// The tensor whose element at p is f(p).
template <class S>
Tensor<S, Reference> tabulate(Shape const& shape, auto const& f) {
  auto y = Tensor<S, Reference>{shape};
  for (Index i = 0; i < shape.count(); ++i) y.mutable_data()[i] = f(position(shape, i));
  return y;
}

}  // namespace consistency::reference
