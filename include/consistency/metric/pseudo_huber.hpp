// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/metric/metric.hpp>

namespace consistency {

/// √(‖x − y‖² + c²) − c (Song & Dhariwal 2023, Section 3.3).
struct PseudoHuber {
  static constexpr bool twice_differentiable = true;

  double c = 0.03;

  /// The authors' choice for data of `dimensions` numbers: 0.00054 √dimensions.
  static PseudoHuber for_dimensions(Index dimensions) {
    return {0.00054 * std::sqrt(static_cast<double>(dimensions))};
  }

  void check() const { require_positive("PseudoHuber", "c", c); }

  auto operator()(Operand auto const& x, Operand auto const& y) const {
    auto const s = sum_per_sample(square(x - y));
    return s / (sqrt(s + c * c) + c);  // without cancellation: 0 between equals
  }
};

}  // namespace consistency
