// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/solver/solver.hpp>

namespace consistency {

/// The trapezoidal rule after an Euler step (Karras et al. 2022, Algorithm 1). Never used with s = 0.
struct Heun {
  static constexpr int order = 2;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    X const d = v(x, t);
    X const e = v(X(x + (s - t) * d), s);
    return x + 0.5 * (s - t) * (d + e);
  }
};
static_assert(OdeSolver<Heun>);

}  // namespace consistency
