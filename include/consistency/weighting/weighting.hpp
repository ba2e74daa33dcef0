#pragma once

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// w(t, r): the weight of a sample's distance, from its times (n, 1, …, 1). Models below, or any callable.

/// w = 1 (Song et al. 2023).
struct UniformWeighting {
  auto operator()(Operand auto const& t, Operand auto const&) const { return 0.0 * t + 1.0; }
};

/// w = 1 / (t − r) (Song & Dhariwal 2023, Section 3.1).
struct InverseGapWeighting {
  auto operator()(Operand auto const& t, Operand auto const& r) const { return 1.0 / (t - r); }
};

}  // namespace consistency
