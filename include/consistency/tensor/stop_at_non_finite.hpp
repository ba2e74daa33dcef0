// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <consistency/tensor/trace_event.hpp>

namespace consistency {

/// A sink for TraceScope: throws numeric_error at the first operation with a number in its results that is
/// not finite, naming operation, layer, shapes, place and value, and whether the operands were finite.
struct StopAtNonFinite {
  void operator()(TraceEvent const& event) const {
    for (auto const& result : event.results)
      if (auto const found = result.first_non_finite())
        fail<numeric_error>(
            event.place(),
            "result of shape " + result.shape().text() + " at " + place(result.shape(), found->at),
            found->value, "finite numbers", origin(event));
  }

 private:
  static std::string origin(TraceEvent const& event) {
    std::string shapes;
    for (std::size_t i = 0; i < event.operands.size(); ++i) {
      auto const& x = event.operands[i];
      if (auto const bad = x.first_non_finite())
        return "Operand " + number_text(i + 1) + " of shape " + x.shape().text() + " has " + bad->value +
               " at " + place(x.shape(), bad->at) + " already: it came from outside the trace.";
      shapes += (shapes.empty() ? "" : ", ") + x.shape().text();
    }
    if (event.operands.empty()) return "It has no operands: this operation made it.";
    return "The operands, of shapes " + shapes + ", are finite: this operation made it.";
  }
  /// "(1, 0, 2)", what x(1, 0, 2) reads.
  static std::string place(Shape const& shape, Index at) {
    std::vector<Index> indices(shape.rank());
    for (auto axis = shape.rank(); axis-- > 0; at /= shape[axis]) indices[axis] = at % shape[axis];
    std::string all = "(";
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      if (axis > 0) all += ", ";
      all += number_text(indices[axis]);
    }
    return all + ")";
  }
};

}  // namespace consistency
