#pragma once

#include <consistency/solver/solver.hpp>

namespace consistency {

/// The midpoint rule with the middle taken in ∛t, m = ((∛t + ∛s) / 2)³: DPM-2 as Karras et al. (2022) compare
/// it. Never used with s = 0.
struct Dpm2 {
  static constexpr int order = 2;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    using T = std::remove_cvref_t<decltype(t)>;
    T const root = 0.5 * (exp(log(t) / 3.0) + exp(log(s) / 3.0));
    T const middle = root * square(root);
    X const half = x + (middle - t) * v(x, t);
    return x + (s - t) * v(half, middle);
  }
};

}  // namespace consistency
