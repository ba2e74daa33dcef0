// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include <consistency/tensor/cpu/pointwise.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// The largest Of::of(x) over the numbers of x, at least 0; NaN where one is NaN.
template <class Of, class S>
S largest(Tensor<S, Cpu> const& x) {
  using P = Pack<S>;
  auto const above = [](S a, S b) { return b > a || b != b ? b : a; };  // NaN stays
  auto const run = [&](Index begin, Index end) {
    auto top = P(0.0);
    for (auto i = begin; i < end; i += P::width) {
      auto const next = Of::of(P::load(x.data() + i, std::min(P::width, end - i)));
      top = select(exceeded(top, next), next, top);
    }
    std::array<S, static_cast<std::size_t>(P::width)> lanes;
    top.store(lanes.data());
    return std::accumulate(lanes.begin(), lanes.end(), S(0), above);
  };
  constexpr auto grain = pointwise_grain;
  if (x.count() <= grain) return run(0, x.count());
  auto pieces = Tensor<S, Cpu>{Shape{(x.count() + grain - 1) / grain}};
  parallel_ranges(x.count(), grain,
                  [&](Index begin, Index end) { pieces.mutable_data()[begin / grain] = run(begin, end); });
  auto const tops = pieces.values();
  return std::accumulate(tops.begin(), tops.end(), S(0), above);
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
