// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// Spherical interpolation between noises z₁ and z₂ of one shape (1, …), in `count` steps with both ends,
/// (count, …): sin((1 − α) ψ) / sin ψ · z₁ + sin(α ψ) / sin ψ · z₂, ψ the angle between them (Song et al.
/// 2023, Appendix D). What lies between is as likely noise as the ends: give it to sample as `.noise`. Throws
/// shape_error for other shapes, config_error for fewer than 2 steps or noises along one line.
template <class S>
Tensor<S> slerp(Tensor<S> const& z1, Tensor<S> const& z2, Index count) {
  if (z1.shape() != z2.shape() || z1.shape().rank() == 0 || z1.shape()[0] != 1)
    fail<shape_error>("slerp", "noises", z1.shape().text() + " and " + z2.shape().text(),
                      "two of one shape (1, ...)");
  require_setting(count >= 2, "slerp", "count", static_cast<double>(count), "2 or more");
  double product = 0, first = 0, second = 0;
  for (Index i = 0; i < z1.count(); ++i) {
    auto const a = static_cast<double>(z1[i]), b = static_cast<double>(z2[i]);
    product += a * b, first += a * a, second += b * b;
  }
  auto const psi = std::acos(std::clamp(product / std::sqrt(first * second), -1.0, 1.0));
  if (!(std::sin(psi) > 1e-6))
    fail<config_error>("slerp", "angle between the noises", number_text(psi), "neither 0 nor pi",
                       "Draw the two from different seeds.");
  Tensor<S> all{z1.shape().with(0, count)};  // (count, …)
  auto* to = all.mutable_data();
  for (Index k = 0; k < count; ++k) {
    auto const alpha = static_cast<double>(k) / static_cast<double>(count - 1);
    auto const a = std::sin((1 - alpha) * psi) / std::sin(psi), b = std::sin(alpha * psi) / std::sin(psi);
    for (Index i = 0; i < z1.count(); ++i)
      *to++ = static_cast<S>(a * static_cast<double>(z1[i]) + b * static_cast<double>(z2[i]));
  }
  return all;
}

}  // namespace consistency
