// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/metric/metric.hpp>

namespace consistency {

/// Largest absolute difference. Its gradient goes to the first element that attains it.
struct LInf {
  static constexpr bool norm = true;

  auto operator()(Operand auto const& x, Operand auto const& y) const { return max_per_sample(abs(x - y)); }
};

}  // namespace consistency
