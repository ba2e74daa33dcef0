#pragma once

#include <cmath>

#include <consistency/schedule/karras.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// τ′(u)ᵖ = 1 / ((τ⁻¹)′(t))ᵖ at t = τ(u), the speed of the grid in its position: with p = 1, λ = 1 in
/// Theorems 4 to 6 of Song et al. 2023; with p = 2, λ = 1 in Theorem 3.
struct GridSpeedWeighting {
  int power = 1;
  KarrasGrid grid{};

  auto operator()(Operand auto const& t) const {
    auto const low = std::pow(grid.epsilon, 1 / grid.rho);
    auto const span = std::pow(grid.sigma_max, 1 / grid.rho) - low;
    // τ′ = ρ (T^{1/ρ} − ε^{1/ρ}) t^{1 − 1/ρ}
    return std::pow(grid.rho * span, power) * exp(power * (1 - 1 / grid.rho) * log(t));
  }
};

}  // namespace consistency
