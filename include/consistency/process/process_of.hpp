// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/process/variance_exploding.hpp>

namespace consistency {

/// The noise process of f(x, t): its own, or the paper's for a callable that names none.
template <class F>
auto process_of(F const& f) {
  if constexpr (requires { f.process(); }) {
    return f.process();
  } else {
    return VarianceExploding{};
  }
}
template <class F>
using process_of_t = decltype(process_of(std::declval<F const&>()));

}  // namespace consistency
