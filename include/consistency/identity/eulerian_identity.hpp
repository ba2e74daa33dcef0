// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <consistency/core/check.hpp>
#include <consistency/identity/identity.hpp>

namespace consistency {

/// Along a path X_{t→r}(x_t) does not change with t: dX/dt = ∂X/∂t + ∂X/∂x v = 0. F is compared with F⁻ + g
/// for g = c (t, r) dX⁻/dt, one JVP sweep; with the average velocity, where c = 1, that is v − (t − r)
/// du⁻/dt, the MeanFlow identity (Geng et al. 2025), and on TrigFlow c = cos(t − r) (Lu & Song
/// 2024, Section 4.1). `warm_up` steps bring in, from 0, what is not v less the own velocity, and g may be
/// divided by ‖g‖ + c or clipped.
struct EulerianIdentity {
  enum class Normalise : std::uint8_t { none, l2, rms };

  bool own_direction = false;  ///< the JVP is along the map's own velocity (Geng et al. 2025b)
  Index warm_up = 0;           ///< steps in which ρ rises to 1
  double most = 1;             ///< the ρ that it rises to
  Normalise normalise = Normalise::none;
  double c = 0.1;   ///< of the normalisation
  double clip = 0;  ///< the largest |g|; 0: there is none

  void check() const {
    require_setting(warm_up >= 0, "EulerianIdentity", "warm_up", static_cast<double>(warm_up), "0 or more");
    require_setting(most > 0 && most <= 1, "EulerianIdentity", "most", most, "(0, 1]");
    require_positive("EulerianIdentity", "c", c);
    require_setting(clip >= 0, "EulerianIdentity", "clip", clip, "0 or more");
  }
  /// ρ(k)
  double share(Index k) const {
    return warm_up == 0 ? most : most * std::min(1.0, static_cast<double>(k) / static_cast<double>(warm_up));
  }
  bool scheduled() const { return warm_up > 0; }

  template <class X>
  auto operator()(auto const& map, auto const& theta, auto const& theta_minus, SpanPoint<X> const& at) const {
    auto const F = map.output(theta, at.x, at.t, at.r, at.mode);  // (n, …)
    X const direction =
        own_direction ? identity::velocity(map, theta_minus, at.x, at.t, at.mode) : at.v;  // (n, …)
    auto const time = Dual<X>{at.t, X(at.t.shape(), typename X::Scalar(1))};               // (n, 1, …)
    auto const [F_minus, dF] =
        map.output(theta_minus, Dual<X>{at.x, direction}, time, at.r, at.mode);  // (n, …)
    auto const& p = map.parameterization();
    auto const rho = share(at.k);
    X g;  // (n, …)
    if constexpr (is_average_velocity<std::remove_cvref_t<decltype(p)>>) {
      g = at.v - F_minus - rho * (at.t - at.r) * dF;
    } else {
      auto const skip = evaluated(p.c_skip(time, at.r)), out = evaluated(p.c_out(time, at.r));  // (n, 1, …)
      auto const at_end = evaluated(p.c_out(time, at.t));                                       // (n, 1, …)
      X const scale = -out.tangent / abs(at_end.tangent);                                       // (n, 1, …)
      g = scale *
          (skip.primal * at.v + out.tangent * F_minus + rho * (skip.tangent * at.x + out.primal * dF));
    }
    return Comparison{F, X(F_minus + limited(g))};
  }

  /// g, normalised and clipped, (n, …).
  template <class X>
  X limited(X const& g) const {
    X y = g;  // (n, …)
    if (normalise != Normalise::none) {
      X const s = normalise == Normalise::l2 ? X(sum_per_sample(square(g)))
                                             : X(mean_per_sample(square(g)));  // (n, 1, …)
      y = g / (sqrt(s) + c);
    }
    if (clip > 0) y = -maximum(-maximum(y, -clip), -clip);
    return y;
  }
};

}  // namespace consistency
