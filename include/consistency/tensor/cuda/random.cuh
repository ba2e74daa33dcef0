// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/device.cuh>
#include <consistency/tensor/cuda/random.hpp>

namespace consistency::cuda {

/// Draws one block of four numbers: the integers of the CPU, the same formulas after them.
template <class Distribution, class S>
struct DrawBlock {
  Distribution distribution;
  Key key;
  Counter first;
  Extent per_sample, blocks;
  S* to;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const sample = i / blocks;
    auto const b = i % blocks;
    auto const at = Counter{first.step, first.sample + static_cast<std::uint32_t>(sample)};
    auto const four = distribution.of(uniform_block<S>(key, at, static_cast<std::uint32_t>(b)));
    for (Extent j = 0; j < 4 && 4 * b + j < per_sample; ++j)
      to[sample * per_sample + 4 * b + j] = four[static_cast<std::size_t>(j)];
  }
};

template <class Distribution, CompiledScalar S>
void draw(Distribution const& distribution, Key key, Counter first, Index samples, Index per_sample, S* to) {
  static_cast<void>(extent(samples * per_sample));
  auto const blocks = (per_sample + 3) / 4;
  for_each(samples * blocks,
           DrawBlock<Distribution, S>{distribution, key, first, static_cast<Extent>(per_sample),
                                      static_cast<Extent>(blocks), to});
}

}  // namespace consistency::cuda
