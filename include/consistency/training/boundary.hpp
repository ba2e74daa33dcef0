// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/core/error.hpp>
#include <consistency/core/time_range.hpp>
#include <consistency/solver/velocity.hpp>

namespace consistency {

/// Whether F may be a consistency function: its parameterization says so, or it has none to ask.
template <class F>
inline constexpr bool may_keep_boundary =
    keeps_boundary<F> || !requires(F const& f) { f.parameterization(); };

/// Throws config_error unless the smallest of the `used` times is the ε at which f(x, ε) = x.
void check_boundary(auto const& f, TimeRange used) {
  if constexpr (requires { f.parameterization().smallest_time(); }) {
    auto const epsilon = f.parameterization().smallest_time();
    if (used.smallest != epsilon)
      fail<config_error>("training method", "smallest time of the grid", number_text(used.smallest),
                         number_text(epsilon) + ", the student's epsilon, where f(x, epsilon) = x",
                         "Give the grid and the parameterization one epsilon.");
  }
}

}  // namespace consistency
