// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// λ(σ) = (σ² + σ_data²) / (σ σ_data)²: a denoiser's error in units of its network's output (Karras et al.
/// 2022, Table 1).
struct EdmWeighting {
  using Process = VarianceExploding;
  double sigma_data = 0.5;

  auto operator()(Operand auto const& t) const {
    return (square(t) + sigma_data * sigma_data) / square(t * sigma_data);
  }
};
static_assert(Weighting<EdmWeighting, 1>);

}  // namespace consistency
