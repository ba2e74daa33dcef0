// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cpu/pack.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// What follows a convolution while its output is at hand: y = conv + bias, and with a residual scale · (that
/// + residual).
template <class S>
struct Epilogue {
  S const* bias = nullptr;
  Index bias_pitch = 0;         ///< between the biases of two samples; 0: one for all
  S const* residual = nullptr;  ///< laid out as y
  S scale = 1;

  Pack<S> finish(Pack<S> const& value, Index at, auto lanes) const {
    return residual ? Pack<S>::splat(scale) * (value + lanes.load(residual + at)) : value;
  }
  /// For the channels from `first` on.
  Epilogue from(Index first) const {
    return {bias ? bias + first : nullptr, bias_pitch, residual ? residual + first : nullptr, scale};
  }
};

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
