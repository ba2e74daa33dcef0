// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// How a group normalisation walks a batch: one sample after the other, so that its pixels are still in a
/// cache for the next pass over them, in pieces of pixels that a first-level cache holds and
/// whose sums are short. Depends on shapes alone.
struct NormPieces {
  Index samples, pixels, channels, groups, length, count;

  NormPieces(Shape const& x, Index g)
      : samples{x[0]},
        pixels{x[1] * x[2]},
        channels{x[3]},
        groups{g},
        length{std::clamp<Index>(4096 / std::max<Index>(16, channels), 1, std::max<Index>(1, pixels))},
        count{(pixels + length - 1) / length} {}

  Index width() const { return channels / groups; }
  Index begin(Index piece) const { return piece * length; }
  Index end(Index piece) const { return std::min(pixels, (piece + 1) * length); }
  Index size(Index piece) const { return (end(piece) - begin(piece)) * width(); }  ///< of a group in a piece

  /// visit(sample): small samples on all threads at once, large ones in turn, each on all threads.
  void each_sample(auto const& visit) const {
    constexpr Index few = 65536;
    if (pixels * channels <= few) {
      parallel_for(samples, visit);
    } else {
      for (Index n = 0; n < samples; ++n) visit(n);
    }
  }
  void each_piece(auto const& visit) const { parallel_for(count, visit); }

  /// body(packs, lanes, first channel) for blocks of four packs of channels, then single ones, the last maybe
  /// in part.
  template <class S>
  void each_block(auto const& body) const {
    constexpr auto pack = Pack<S>::width;
    Index k = 0;
    for (; k + 4 * pack <= channels; k += 4 * pack) body(std::integral_constant<int, 4>{}, AllLanes<S>{}, k);
    for (; k + pack <= channels; k += pack) body(std::integral_constant<int, 1>{}, AllLanes<S>{}, k);
    if (k < channels) body(std::integral_constant<int, 1>{}, SomeLanes<S>{channels - k}, k);
  }
};

/// total[k] = Σ over the pixels of a piece of term(offset, k, lanes), per channel k.
template <class S>
void sum_piece(NormPieces const& p, Index piece, S* total, auto const& term) {
  using P = Pack<S>;
  p.each_block<S>([&]<int N>(std::integral_constant<int, N>, auto lanes, Index k) {
    std::array<P, N> sums;
    sums.fill(P(0.0));
    for (auto i = p.begin(piece); i < p.end(piece); ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) sums[j] += term(i * p.channels + k + j * P::width, k + j * P::width, lanes);
    }
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) lanes.store(sums[j], total + k + j * P::width);
  });
}

/// Mean and 1/√(variance + ε) of each group of one sample x, written once per channel. One pass over memory:
/// the mean and the sum of squared deviations of every piece, then their combination (Chan, Golub & LeVeque
/// 1979).
template <class S>
void group_statistics(NormPieces const& p, double epsilon, S const* x, S* mean, S* rate) {
  auto const width = p.width();
  auto partial = Tensor<S, Cpu>{Shape{p.count, 2, p.groups}};
  p.each_piece([&](Index piece) {
    auto work = Tensor<S, Cpu>{Shape{2, p.channels}};
    auto* const centre = work.mutable_data();
    auto* const total = centre + p.channels;
    auto* const out = partial.mutable_data() + piece * 2 * p.groups;
    auto const sum_groups = [&](S* per_group) {
      for (Index g = 0; g < p.groups; ++g) {
        per_group[g] = 0;
        for (Index k = g * width; k < (g + 1) * width; ++k) per_group[g] += total[k];
      }
    };
    sum_piece(p, piece, total, [&](Index at, Index, auto lanes) { return lanes.load(x + at); });
    sum_groups(out);
    for (Index g = 0; g < p.groups; ++g)
      std::fill_n(centre + g * width, width, out[g] /= static_cast<S>(p.size(piece)));
    sum_piece(p, piece, total, [&](Index at, Index k, auto lanes) {
      auto const d = lanes.load(x + at) - lanes.load(centre + k);
      return d * d;
    });
    sum_groups(out + p.groups);
  });
  auto const size = static_cast<double>(p.pixels * width);
  for (Index g = 0; g < p.groups; ++g) {
    auto const* const means = partial.data() + g;
    double centre = 0;
    double deviations = 0;
    for (Index i = 0; i < p.count; ++i)
      centre += static_cast<double>(means[i * 2 * p.groups]) * (static_cast<double>(p.size(i)) / size);
    for (Index i = 0; i < p.count; ++i) {
      auto const d = static_cast<double>(means[i * 2 * p.groups]) - centre;
      deviations +=
          static_cast<double>(means[(i * 2 + 1) * p.groups]) + d * d * static_cast<double>(p.size(i));
    }
    std::fill_n(mean + g * width, width, static_cast<S>(centre));
    std::fill_n(rate + g * width, width, static_cast<S>(1 / std::sqrt(deviations / size + epsilon)));
  }
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
