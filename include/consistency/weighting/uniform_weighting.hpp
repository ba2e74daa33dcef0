// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// w = 1 (Song et al. 2023). A weighting gives the weight of a sample's distance from its times (n, 1, …, 1):
/// w(t, r) in methods that draw two times, w(t) in those that draw one. Any callable is one.
struct UniformWeighting {
  auto operator()(Operand auto const& t) const { return 0.0 * t + 1.0; }
  auto operator()(Operand auto const& t, Operand auto const&) const { return 0.0 * t + 1.0; }
};

}  // namespace consistency
