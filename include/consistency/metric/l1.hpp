// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/metric/metric.hpp>

namespace consistency {

/// Mean absolute difference.
struct L1 {
  static constexpr bool norm = true;

  auto operator()(Operand auto const& x, Operand auto const& y) const { return mean_per_sample(abs(x - y)); }
};

}  // namespace consistency
