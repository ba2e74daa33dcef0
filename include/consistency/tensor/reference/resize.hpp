// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

/// A resized pixel is the average of four pixels of the image, weighted by nearness; the adjoint adds it to
/// them with the same weights.
template <>
struct Kernel<op::Resize, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::Resize const& op, Tensor<S, Reference> const& x) {
    auto y = Tensor<S, Reference>{op.result(x.shape()), S(0)};
    auto const& image = op.adjoint ? y.shape() : x.shape();
    auto const& resized = op.adjoint ? x.shape() : y.shape();
    for (Index i = 0; i < resized.count(); ++i) {
      auto const p = reference::position(resized, i);
      auto const position = [&](std::size_t axis) {
        auto const scale = static_cast<double>(image[axis]) / static_cast<double>(resized[axis]);
        return std::clamp((static_cast<double>(p[axis]) + op.centre) * scale - op.centre, 0.0,
                          static_cast<double>(image[axis] - 1));
      };
      auto const row = position(1), column = position(2);
      for (auto const h : {std::floor(row), std::floor(row) + 1})
        for (auto const w : {std::floor(column), std::floor(column) + 1}) {
          auto const weight = (1 - std::abs(row - h)) * (1 - std::abs(column - w));
          if (weight == 0) continue;
          auto const j = reference::at(image, p[0], static_cast<Index>(h), static_cast<Index>(w), p[3]);
          y.mutable_data()[op.adjoint ? j : i] += S(weight) * x[op.adjoint ? i : j];
        }
    }
    return y;
  }
};

}  // namespace consistency
