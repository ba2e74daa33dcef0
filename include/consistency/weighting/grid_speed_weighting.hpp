// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/schedule/karras.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// τ′(u) = 1 / (τ⁻¹)′(t) at t = τ(u), squared where `squared`: λ = 1 in Theorems 4 to 6 of Song et al. 2023,
/// and in Theorem 3, which has the square.
struct GridSpeedWeighting {
  bool squared = false;

  auto operator()(NoiseProcess auto const& process, Operand auto const& t) const {
    auto const speed = evaluated(grid_of(process).speed(t));
    return evaluated(squared ? evaluated(square(speed)) : speed);
  }
};
static_assert(Weighting<GridSpeedWeighting, 1>);

}  // namespace consistency
