// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/identity/eulerian_identity.hpp>
#include <consistency/schedule/constant_blend.hpp>

namespace consistency {

/// A share α of the way by the velocity, the rest by the map: u(x, t, r) is compared with α v + (1 − α) u⁻(x
/// − d v, t − d, r) for d = α (t − r), and on the diagonal with v. α = 1 is flow matching, 1/2 near a
/// shortcut's, and 0, the limit, the MeanFlow identity (Zhang et al. 2025). As a quotient both sides
/// are divided by α, so that their difference is of the order of one (SoFlow).
template <BlendSchedule A = ConstantBlend>
struct BlendedIdentity {
  static constexpr bool of_average_velocity = true;
  A alpha{};
  double clip = 0;  ///< the largest |target|; 0: there is none
  bool quotient = false;

  void check() const {
    check_settings(alpha);
    require_setting(clip >= 0, "BlendedIdentity", "clip", clip, "0 or more");
  }
  static constexpr bool scheduled() { return !std::same_as<A, ConstantBlend>; }

  template <class X>
  auto operator()(auto const& map, auto const& theta, auto const& theta_minus, SpanPoint<X> const& at) const {
    double const a = alpha(at.k);
    if (a == 0) return EulerianIdentity{}(map, theta, theta_minus, at);
    auto const u = map.output(theta, at.x, at.t, at.r, at.mode);                             // (n, …)
    X const d = a * (at.t - at.r);                                                           // (n, 1, …)
    X const rest = map.output(theta_minus, X(at.x - d * at.v), X(at.t - d), at.r, at.mode);  // (n, …)
    X y = identity::mixed(X(a * at.v + (1 - a) * rest), at.v, at.diagonal);                  // (n, …)
    if (clip > 0) y = -maximum(-maximum(y, -clip), -clip);
    if (!quotient) return Comparison{u, y, a};
    return Comparison{evaluated((1 / a) * u), X((1 / a) * y), a};
  }
};

}  // namespace consistency
