// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/tensor/cpu/pack.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Σ term(i) for i = begin, begin + step, … below end: in blocks of 64 terms, and the blocks' sums after one
/// another, so that the rounding error of n terms grows as √(64 + n / 64) and not as √n (Higham 1993).
template <class S>
[[gnu::always_inline]] inline Pack<S> long_sum(Index begin, Index end, Index step, auto const& term) {
  constexpr Index block = 64;
  auto total = Pack<S>(0.0);
  for (auto const first = std::min(end, begin + block * step); begin < first; begin += step)
    total += term(begin);
  while (begin < end) {
    auto part = Pack<S>(0.0);
    for (auto const last = std::min(end, begin + block * step); begin < last; begin += step)
      part += term(begin);
    total += part;
  }
  return total;
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
