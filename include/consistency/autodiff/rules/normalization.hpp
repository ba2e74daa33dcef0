// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/autodiff/rule.hpp>
#include <consistency/autodiff/rules/normalized.hpp>

namespace consistency {

template <>
struct Rule<op::GroupNorm> {
  static constexpr std::size_t keeps_inputs = all_inputs;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 3> vjp(op::GroupNorm const& op, std::array<bool, 3> const& wanted, T const& y,
                              T const& g, std::array<T, 3> const& x) {
    return kernel_vjp(op, wanted, y, g, x[0], x[1], x[2]);
  }

  /// With u = x̂ · scale + shift: du = dx̂ · scale + x̂ · dscale + dshift.
  template <class Y>
  static Y jvp(op::GroupNorm const& op, Y const& y, auto const& x, auto const& scale, auto const& shift,
               auto const& dx, auto const& dscale, auto const& dshift) {
    auto const normalized = detail::Normalized{op};
    Y du;  // (n, h, w, c)
    if (dx.defined()) add_term(du, normalized.along(Y(x), Y(dx)) * scale);
    if (dscale.defined()) add_term(du, normalized(Y(x)) * dscale);
    if (dshift.defined()) du = du.defined() ? Y(du + dshift) : Y(broadcast_to(dshift, y.shape()));
    if (!op.silu) return du;
    Y const u = group_norm(x, scale, shift, {.groups = op.groups, .epsilon = op.epsilon});  // (n, h, w, c)
    auto const f = silu(u);
    return apply(Pointwise<pointwise::Tangent<decltype(f.f)>>{{f.f}}, u, du);
  }
};

template <>
struct Rule<op::Softmax> {
  static constexpr std::size_t keeps_inputs = 0;
  static constexpr bool keeps_output = true;

  template <class T>
  static std::array<T, 1> vjp(op::Softmax const& op, std::array<bool, 1> const& wanted, T const& y,
                              T const& g, std::array<T, 1> const& x) {
    return kernel_vjp(op, wanted, y, g, x[0]);
  }

  /// dy = y (dx − Σ y dx)
  template <class Y>
  static Y jvp(op::Softmax const&, Y const& y, auto const&, auto const& dx) {
    return y * (dx - sum_to(y * dx, y.shape().with_channels(1)));
  }
};

}  // namespace consistency
