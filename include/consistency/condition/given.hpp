// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// f under a condition: what `f.given(condition)` is, or a callable itself that takes none. Throws
/// config_error for a condition that f cannot take. The result refers to both.
template <class F, class X>
decltype(auto) with_condition(F const& f, Condition<X> const& condition) {
  if constexpr (requires { f.given(condition); }) {
    return f.given(condition);
  } else {
    if (condition.defined())
      fail<config_error>("condition", "a function of (x, t) alone", "a condition beside it", "none",
                         "Give it a member given(condition), as ConsistencyFunction and Denoiser have.");
    return (f);
  }
}

}  // namespace consistency
