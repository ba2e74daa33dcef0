// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// w = 1 (Song et al. 2023).
struct UniformWeighting {
  auto operator()(Operand auto const& t) const { return 0.0 * t + 1.0; }
  auto operator()(Operand auto const& t, Operand auto const&) const { return 0.0 * t + 1.0; }
};
static_assert(Weighting<UniformWeighting, 1> && Weighting<UniformWeighting, 2>);

}  // namespace consistency
