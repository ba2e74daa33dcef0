// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/device.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Linear interpolation along one axis from extent `in` to extent `out` with clamped edges, or its transpose:
/// output o is the sum of inputs first(o) … last(o) − 1 with their weights, some of which may be 0. The
/// centre of a pixel is 0.5 or 0 behind its beginning.
struct Interpolation {
  Index in, out;
  bool adjoint;
  double centre;

  CONSISTENCY_HD Index first(Index o) const {
    auto const p =
        adjoint ? (at(o) - 1 + centre) * per_pixel() - centre - 1 : position(o);  // rounded outward
    return p < 0 ? 0 : static_cast<Index>(p);
  }
  CONSISTENCY_HD Index last(Index o) const {
    auto const p = adjoint ? (at(o) + 1 + centre) * per_pixel() - centre + 2 : position(o) + 2;
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
    auto const p = (at(r) + centre) * (image / resized) - centre;
    return p < 0 ? 0 : p > image - 1 ? image - 1 : p;
  }
};

}  // namespace consistency
