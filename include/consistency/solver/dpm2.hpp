// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/solver/solver.hpp>

namespace consistency {

/// DPM-Solver-2 (Lu et al. 2022, Algorithm 1) for the noise levels of this library, where the middle of −ln t
/// is √(t s): an Euler step there, then a step with the velocity found. Never used with s = 0.
struct Dpm2 {
  static constexpr int order = 2;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    using T = std::remove_cvref_t<decltype(t)>;
    T const middle = sqrt(t * s);
    X const half = x + (middle - t) * v(x, t);
    return x + (s - t) * v(half, middle);
  }
};
static_assert(OdeSolver<Dpm2>);

}  // namespace consistency
