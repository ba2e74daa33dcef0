// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/schedule/karras.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// τ′(u) = 1 / (τ⁻¹)′(t) at t = τ(u), squared where `squared`: λ = 1 in Theorems 4 to 6 of Song et al. 2023,
/// and in Theorem 3, which has the square.
struct GridSpeedWeighting {
  bool squared = false;
  KarrasGrid grid{};  ///< that of the method

  auto operator()(Operand auto const& t) const {
    auto const speed = evaluated(grid.speed(t));
    return evaluated(squared ? evaluated(square(speed)) : speed);
  }
};

}  // namespace consistency
