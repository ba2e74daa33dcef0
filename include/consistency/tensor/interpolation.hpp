// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/device.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Linear interpolation along one axis from extent `in` to extent `out` with half-pixel centres and clamped
/// edges, or its transpose: output o is the sum of inputs first(o) … last(o) − 1 with their weights, some of
/// which may be 0.
struct Interpolation {
  Index in, out;
  bool adjoint;

  CONSISTENCY_HD Index first(Index o) const {
    auto const p = adjoint ? (at(o) - 0.5) * per_pixel() - 1.5 : position(o);  // rounded outward
    return p < 0 ? 0 : static_cast<Index>(p);
  }
  CONSISTENCY_HD Index last(Index o) const {
    auto const p = adjoint ? (at(o) + 1.5) * per_pixel() + 1.5 : position(o) + 2;
    return p > at(in) ? in : static_cast<Index>(p);
  }
  CONSISTENCY_HD double weight(Index o, Index i) const {
    auto const d = adjoint ? position(i) - at(o) : position(o) - at(i);
    auto const w = 1 - (d < 0 ? -d : d);
    return w > 0 ? w : 0;
  }

 private:
  CONSISTENCY_HD static double at(Index i) { return static_cast<double>(i); }
  CONSISTENCY_HD double per_pixel() const { return at(in) / at(out); }
  /// Where the resized pixel r lies in the image.
  CONSISTENCY_HD double position(Index r) const {
    auto const image = at(adjoint ? out : in), resized = at(adjoint ? in : out);
    auto const p = (at(r) + 0.5) * (image / resized) - 0.5;
    return p < 0 ? 0 : p > image - 1 ? image - 1 : p;
  }
};

}  // namespace consistency
