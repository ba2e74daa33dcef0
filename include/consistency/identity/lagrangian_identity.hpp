// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/identity/identity.hpp>

namespace consistency {

/// X_{t→r}(x) moves with r as its own velocity says: ∂X_{t→r}/∂r, differentiated through its JVP along r, is
/// compared with v⁻(X_{t→r}, r), on the diagonal with v (Boffi et al. 2025).
struct LagrangianIdentity {
  void check() const {}
  static constexpr bool scheduled() { return false; }

  template <class X>
  auto operator()(auto const& map, auto const& theta, auto const& theta_minus, SpanPoint<X> const& at) const {
    using V = std::remove_cvref_t<decltype(theta[0])>;
    auto const r = Dual<V>{V(at.r), V(X(at.r.shape(), typename X::Scalar(1)))};              // (n, 1, …)
    auto const end = map(theta, Dual<V>{V(at.x)}, Dual<V>{V(at.t)}, r, at.mode);             // (n, …)
    X const v = identity::velocity(map, theta_minus, X(stop_gradient(end)), at.r, at.mode);  // (n, …)
    return Comparison{end.tangent, identity::mixed(v, at.v, at.diagonal)};
  }
};

}  // namespace consistency
