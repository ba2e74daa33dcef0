// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/autodiff/rule.hpp>

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

  /// With x̂ = (x − mean) / σ: dx̂ = (dx − mean(dx) − x̂ · mean(x̂ · dx)) / σ and u = x̂ · scale + shift.
  template <class Y>
  static Y jvp(op::GroupNorm const& op, Y const& y, auto const& x, auto const& scale, auto const& shift,
               auto const& dx, auto const& dscale, auto const& dshift) {
    auto const& full = y.shape();
    auto const grouped = Shape{full[0], full[1] * full[2], op.groups, full[3] / op.groups};
    auto const per_group = Shape{full[0], 1, op.groups, 1};
    auto const share = 1.0 / static_cast<double>(grouped[1] * grouped[3]);
    auto const mean = [&](Operand auto const& v) { return share * sum_to(v, per_group); };

    auto const x4 = reshape(x, grouped);
    auto const centred = evaluated(x4 - mean(x4));
    auto const rate = evaluated(1.0 / sqrt(mean(square(centred)) + op.epsilon));
    auto const normal4 = evaluated(centred * rate);
    auto const normal = reshape(normal4, full);
    Y du;
    if (dx.defined()) {
      auto const dx4 = reshape(dx, grouped);
      auto const moved = evaluated(dx4 - mean(dx4));
      auto const dnormal = evaluated(rate * (moved - normal4 * mean(normal4 * moved)));
      add_term(du, reshape(dnormal, full) * scale);
    }
    if (dscale.defined()) add_term(du, normal * dscale);
    if (dshift.defined()) du = du.defined() ? Y(du + dshift) : Y(broadcast_to(dshift, full));
    if (!op.silu) return du;
    Y const u = normal * scale + shift;
    Y const s = sigmoid(u);
    return du * (s * (1.0 + u * (1.0 - s)));
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
