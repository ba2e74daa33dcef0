// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Uniform numbers of as many blocks as a pack has lanes: number k of the block in lane l is u[k][l].
template <class S>
using UniformLanes = std::array<std::array<S, static_cast<std::size_t>(Pack<S>::width)>, 4>;

/// Fills y with distribution.of(uniform numbers), four of a block at a time; blocks go into lanes, whatever
/// their sample.
template <class Distribution>
struct Draws {
  template <class S>
  static void fill(Distribution const& distribution, Tensor<S, Cpu>& y, Key key, Counter first) {
    if (y.count() == 0) return;
    constexpr auto width = Pack<S>::width;
    auto const samples = y.shape().rank() == 0 ? 1 : y.shape()[0];
    auto const per_sample = y.count() / samples;
    auto const blocks = (per_sample + 3) / 4;  // of a sample
    auto* const out = y.mutable_data();
    parallel_ranges(samples * blocks, 256 * width, [&](Index begin, Index end) {
      auto sample = begin / blocks, block = begin % blocks;
      UniformLanes<S> u{};
      std::array<Index, static_cast<std::size_t>(width)> place{}, count{};
      for (; begin < end; begin += width) {
        auto const lanes = static_cast<std::size_t>(std::min(width, end - begin));
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          auto const at = Counter{first.step, first.sample + static_cast<std::uint32_t>(sample)};
          auto const four = uniform_block<S>(key, at, static_cast<std::uint32_t>(block));
          for (std::size_t k = 0; k < 4; ++k) u[k][lane] = four[k];
          place[lane] = sample * per_sample + 4 * block;
          count[lane] = std::min<Index>(4, per_sample - 4 * block);
          if (++block == blocks) block = 0, ++sample;
        }
        auto const drawn =
            distribution.of(std::array{Pack<S>::load(u[0].data()), Pack<S>::load(u[1].data()),
                                       Pack<S>::load(u[2].data()), Pack<S>::load(u[3].data())});
        for (std::size_t k = 0; k < 4; ++k) drawn[k].store(u[k].data());
        for (std::size_t lane = 0; lane < lanes; ++lane)
          for (Index k = 0; k < count[lane]; ++k) out[place[lane] + k] = u[static_cast<std::size_t>(k)][lane];
      }
    });
  }
};

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<distribution::Normal> : cpu::Draws<distribution::Normal> {};
template <>
struct cpu::Kernel<distribution::Uniform> : cpu::Draws<distribution::Uniform> {};
template <>
struct cpu::Kernel<distribution::DropoutMask> : cpu::Draws<distribution::DropoutMask> {};

}  // namespace consistency
