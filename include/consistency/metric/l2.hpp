// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/metric/metric.hpp>

namespace consistency {

/// Mean squared difference.
struct L2 {
  static constexpr bool twice_differentiable = true;

  auto operator()(Operand auto const& x, Operand auto const& y) const {
    return mean_per_sample(square(x - y));
  }
};

}  // namespace consistency
