// SPDX-License-Identifier: MIT
#pragma once

// The loss that a flow map would have if it were exact: what a loss of data and noise cannot fall below.

#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

#include <consistency/consistency.hpp>

#include "methods.hpp"

namespace policies {

/// The teacher's flow on the linear path, at times that the teacher has seen.
class TeacherFlow {
 public:
  using X = Tensor<float>;
  explicit TeacherFlow(Classroom const& room) : velocity_(room.velocity()) {}

  /// v(x, t), (n, …)
  X velocity(X const& x, X const& t) const {
    X const seen = -maximum(-maximum(t, first), -last);  // (n, 1, …)
    return velocity_.given(LinearPath{}, Batch<X>{x})(x, seen);
  }
  /// X_{t→r}(x) by Heun's method, (n, …)
  X transported(X x, X const& t, X const& r) const {
    X const step = (1.0 / steps) * (r - t);  // (n, 1, …)
    for (int i = 0; i < steps; ++i) {
      X const from = t + static_cast<double>(i) * step, to = from + step;  // (n, 1, …)
      X const v = velocity(x, from);                                       // (n, …)
      x = x + 0.5 * step * (v + velocity(X(x + step * v), to));            // (n, …)
    }
    return x;
  }
  /// ∂X_{t→r}/∂x · d by a central difference, (n, …)
  X derivative(X const& x, X const& d, X const& t, X const& r) const {
    constexpr double h = 0.01;
    return (0.5 / h) * (transported(X(x + h * d), t, r) - transported(X(x - h * d), t, r));
  }

 private:
  static constexpr int steps = 16;
  static constexpr double first = 0.002 / 1.002, last = 80.0 / 81.0;  ///< noise levels from 0.002 to 80
  decltype(std::declval<Classroom const&>().velocity()) velocity_;
};

/// With the velocity v_c of data and noise, both sides of an identity differ at the exact map by v_c − v on
/// the diagonal, and beyond it by nothing (Lagrangian, semigroup), by v_c − v (improved MeanFlow), or by
/// ∂X/∂x (v_c − v) (MeanFlow). The mean distance of that from 0, by the teacher's flow; NaN for other
/// methods.
template <class M>
double loss_floor(M const& method, Classroom const& room, Tensor<float> const& x0) {
  if constexpr (requires {
                  requires std::same_as<std::remove_cvref_t<decltype(method.velocity)>, DataVelocity>;
                  requires std::same_as<std::remove_cvref_t<decltype(method.f)>, Map>;
                  { method.identity.scheduled() };
                }) {
    using Identity = std::remove_cvref_t<decltype(method.identity)>;
    if (method.identity.scheduled()) return std::nan("");
    auto const drawn = method.draw(x0, 0, Key{12});
    auto const& [t, q, r, diagonal] = drawn.times;  // (n, 1, …)
    auto const process = process_of(method.f);
    auto const flow = TeacherFlow{room};
    Tensor<float> const x_t = process.point(x0, drawn.z, t);                                // (n, …)
    Tensor<float> const d = process.data_velocity(x0, drawn.z, t) - flow.velocity(x_t, t);  // (n, …)
    Tensor<float> left;                                                                     // (n, …)
    if constexpr (std::same_as<Identity, EulerianIdentity>)
      left = method.identity.own_direction ? d : flow.derivative(x_t, d, t, r);
    else
      left = diagonal * d;
    return static_cast<double>(evaluated(mean(method.metric(left, Tensor<float>{left.shape(), 0.0F})))[0]);
  } else {
    return std::nan("");
  }
}

}  // namespace policies
