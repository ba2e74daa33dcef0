// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cpu/pointwise.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// to += from, in place; shapes are equal.
template <class S>
void accumulate_into(Tensor<S, Cpu>& to, Tensor<S, Cpu> const& from) {
  auto* const y = to.mutable_data();
  walk<S, 2>(
      BroadcastPlan<2>{to.shape(), from.shape()}, {to.data(), from.data()},
      [&](std::array<Pack<S>, 2> const& v, Index at, Index lanes) { store(v[0] + v[1], y + at, lanes); });
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
