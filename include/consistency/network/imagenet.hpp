// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Images of range [−1, 1] on the scale of networks that were trained on ImageNet's colours:
/// ((x + 1) / 2 − mean) / deviation. Values beyond the range are not clamped; grey becomes three colours.
auto imagenet_scaled(Operand auto const& x) {
  using T = tensor_of_t<value_t<decltype(x)>>;
  using S = typename T::Scalar;
  constexpr auto mean = std::array{0.485, 0.456, 0.406};
  constexpr auto deviation = std::array{0.229, 0.224, 0.225};
  auto scale = Tensor<S>{Shape{3}};  // (3)
  auto shift = Tensor<S>{Shape{3}};  // (3)
  for (std::size_t c = 0; c < 3; ++c) {
    scale.mutable_values()[c] = static_cast<S>(0.5 / deviation[c]);
    shift.mutable_values()[c] = static_cast<S>((0.5 - mean[c]) / deviation[c]);
  }
  using B = typename T::Backend;
  return evaluated(x * to<B>(scale) + to<B>(shift));  // (n, h, w, 3)
}

}  // namespace consistency
