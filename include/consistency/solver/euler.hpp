// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/solver/solver.hpp>

namespace consistency {

/// x + (s − t) v(x, t)
struct Euler {
  static constexpr int order = 1;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    return x + (s - t) * v(x, t);
  }
};
static_assert(OdeSolver<Euler>);

}  // namespace consistency
