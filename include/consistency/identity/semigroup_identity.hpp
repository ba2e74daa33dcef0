// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/identity/identity.hpp>

namespace consistency {

/// X_{t→r} = X_{q→r} ∘ X_{t→q}, as average velocities: u(x, t, r) is compared with (1 − h) u⁻(x, t, q) + h
/// u⁻(x_q, q, r), where x_q = X⁻_{t→q}(x) and h = (q − r) / (t − r), and on the diagonal with v (Frans et al.
/// 2024; Boffi et al. 2025).
struct SemigroupIdentity {
  static constexpr bool of_average_velocity = true;
  double clip = 0;  ///< the largest |x_q|; 0: there is none

  void check() const { require_setting(clip >= 0, "SemigroupIdentity", "clip", clip, "0 or more"); }
  static constexpr bool scheduled() { return false; }

  template <class X>
  auto operator()(auto const& map, auto const& theta, auto const& theta_minus, SpanPoint<X> const& at) const {
    auto const u = map.output(theta, at.x, at.t, at.r, at.mode);          // (n, …)
    X const before = map.output(theta_minus, at.x, at.t, at.q, at.mode);  // (n, …)
    X x_q = at.x - (at.t - at.q) * before;                                // (n, …)
    if (clip > 0) x_q = -maximum(-maximum(x_q, -clip), -clip);
    X const after = map.output(theta_minus, x_q, at.q, at.r, at.mode);  // (n, …)
    X const h = (at.q - at.r) / (at.t - at.r + at.diagonal);            // (n, 1, …)
    return Comparison{u, identity::mixed(X(before + h * (after - before)), at.v, at.diagonal)};
  }
};

}  // namespace consistency
