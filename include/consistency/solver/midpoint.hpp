// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/solver/solver.hpp>

namespace consistency {

/// The midpoint rule with its middle halfway in t^{1/3}, the DPM-2 of Karras et al. 2022 and of the programs
/// of Song et al. 2023: an Euler step there, then a step with the velocity found, to s = 0 too.
struct Midpoint {
  static constexpr int order = 2;
  static constexpr bool reaches_zero = true;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    using T = std::remove_cvref_t<decltype(t)>;
    T const root = 0.5 * (exp(log(t) / 3.0) + exp(log(s) / 3.0));  // e^{−∞} = 0
    T const middle = square(root) * root;
    X const half = x + (middle - t) * v(x, t);
    return x + (s - t) * v(half, middle);
  }
};
static_assert(OdeSolver<Midpoint>);

}  // namespace consistency
