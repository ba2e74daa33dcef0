// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include <consistency/autodiff/forward.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Where a flow map is trained: x_t of a batch, the velocity there, and the times of each sample.
template <class X>
struct SpanPoint {
  X const& x;         // (n, …)
  X const& v;         // (n, …): dx/dt of data and noise, or a teacher's
  X const& t;         // (n, 1, …)
  X const& q;         // (n, 1, …)
  X const& r;         // (n, 1, …)
  X const& diagonal;  // (n, 1, …): 1 where r = t, else 0
  Index k;            ///< training step
  Mode const& mode;
};

/// What a loss compares: a prediction, on the tape of θ, and a constant.
template <class V, class X>
struct Comparison {
  V prediction;       // (n, …)
  X target;           // (n, …)
  double weight = 1;  ///< of the distance
};
template <class V, class X>
Comparison(V, X) -> Comparison<V, X>;
template <class V, class X>
Comparison(V, X, double) -> Comparison<V, X>;

/// Whether the network of a flow map is its average velocity, X_{t→r}(x) = x − (t − r) F.
template <class P>
inline constexpr bool is_average_velocity = requires { requires P::average_velocity; };

namespace identity {

/// A target of the rule, but `v` on the diagonal.
template <class X>
X mixed(X const& target, X const& v, X const& diagonal) {
  return target + diagonal * (v - target);
}

/// v(x, t) = ∂X_{t→r}(x)/∂r at r = t: the velocity of a flow map whose parameters are θ.
template <class X>
auto velocity(auto const& map, auto const& theta, X const& x, X const& t, Mode const& mode) {
  auto const F = map.output(theta, x, t, t, mode);  // (n, …)
  auto const& p = map.parameterization();
  if constexpr (is_average_velocity<std::remove_cvref_t<decltype(p)>>) {
    return F;
  } else {
    auto const r = Dual<X>{t, X(t.shape(), typename X::Scalar(1))};               // (n, 1, …)
    auto const skip = evaluated(p.c_skip(t, r)), out = evaluated(p.c_out(t, r));  // (n, 1, …)
    return evaluated(skip.tangent * x + out.tangent * F);
  }
}

}  // namespace identity

}  // namespace consistency
