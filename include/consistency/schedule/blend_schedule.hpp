// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/shape.hpp>

namespace consistency {

/// A share in (0, 1], or 0 in the limit, at training step k = 0, 1, …. Models: ConstantBlend, SigmoidBlend,
/// GeometricBlend.
template <class S>
concept BlendSchedule = requires(S const& share, Index k) {
  { share(k) } -> std::convertible_to<double>;
};

}  // namespace consistency
