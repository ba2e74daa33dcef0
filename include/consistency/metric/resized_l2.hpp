// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/metric/metric.hpp>

namespace consistency {

/// Mean squared difference of images (n, h, w, c) resized bilinearly to height × width: differences of detail
/// count less.
struct ResizedL2 {
  static constexpr bool twice_differentiable = true;

  Index height = 32;
  Index width = 32;

  auto operator()(Operand auto const& x, Operand auto const& y) const {
    return mean_per_sample(square(resize(x - y, height, width)));  // resizing is linear
  }
};

}  // namespace consistency
