// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/epilogue.hpp>
#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/cpu/winograd_maps.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// The tiles that the output of a 3×3 stride-1 convolution is cut into; tile t belongs to image
/// t / (rows · columns).
template <class W>
struct TileGrid {
  Index height, width, rows, columns, tiles;

  explicit TileGrid(Shape const& image)
      : height{image[1]},
        width{image[2]},
        rows{(height + W::tile - 1) / W::tile},
        columns{(width + W::tile - 1) / W::tile},
        tiles{image[0] * rows * columns} {}

  Index top(Index t) const { return t / columns % rows * W::tile; }
  Index left(Index t) const { return t % columns * W::tile; }
  bool holds(Index row, Index column) const {
    return row >= 0 && row < height && column >= 0 && column < width;
  }
  /// Of the first number of the image that tile t belongs to.
  Index image(Index t, Index channels) const { return t / (rows * columns) * height * width * channels; }
};

/// How transformed tiles lie in memory: groups of channels, and in a group one frequency after the other, so
/// that a transform writes one stream and its offsets are constants. Channel c of frequency f of tile t is at
/// t · pitch + c / group · step + f · group + c % group.
template <class W, class S, Index Group>
struct TileLayout {
  static constexpr Index group = Group;
  static constexpr Index step = W::frequencies * group;
  Index pitch;

  /// One line more than needed: tiles do not fall on each other in a cache.
  explicit TileLayout(Index channels)
      : pitch{(channels + group - 1) / group * step + 64 / static_cast<Index>(sizeof(S))} {}

  static Index of(Index c) { return c / group * step + c % group; }
  /// Numbers of `tiles` tiles.
  Tensor<S, Cpu> allocate(Index tiles) const { return Tensor<S, Cpu>{Shape{tiles, pitch}}; }
};

/// The right side of the product: a group is a panel.
template <class W, class S>
using PanelLayout = TileLayout<W, S, Block<S>::width>;

/// The left side of the product reads a row of channels: long groups keep it a stream.
template <class W, class S, class Run>
void with_row_layout(Index channels, Run const& run) {
  if (channels <= 32) {
    run(TileLayout<W, S, 32>{channels});
  } else {
    run(TileLayout<W, S, 64>{channels});
  }
}

/// Transformed weights: per panel of output channels, per frequency, an (in × width) matrix; matrices are
/// `plane` apart.
template <class W, class S>
struct WeightLayout {
  Index in, plane;

  explicit WeightLayout(Index channels)
      : in{channels}, plane{channels * Block<S>::width + 64 / static_cast<Index>(sizeof(S))} {}
  Index of(Index panel, Index f) const { return (panel * W::frequencies + f) * plane; }
  /// Numbers of `count` panels.
  Tensor<S, Cpu> allocate(Index count) const { return Tensor<S, Cpu>{Shape{count, W::frequencies, plane}}; }
};

/// M d Mᵀ of tiles [begin, end) for squares d of Size × Size pixels of x, whose first pixel lies `margin`
/// before the tile's; map applies M, of as many rows as an edge. `channels` channels of x, whose pixels hold
/// `pitch`; v is the place of tile `begin`. Pixels outside the image are read from `zeros`, which holds
/// `channels` of them.
template <int Size, class W, class S, class Layout>
void transform_squares(TileGrid<W> const& grid, S const* x, S const* zeros, Index channels, Index pitch,
                       Index margin, Index begin, Index end, S* v, Layout const& layout, auto const& map) {
  using P = Pack<S>;
  constexpr int e = W::edge;
  for (auto t = begin; t < end; ++t, v += layout.pitch) {
    auto const top = grid.top(t) - margin;
    auto const left = grid.left(t) - margin;
    auto const* const image = x + grid.image(t, pitch);
    std::array<S const*, Size * Size> from;
    for (int i = 0; i < Size; ++i)
      for (int j = 0; j < Size; ++j)
        from[i * Size + j] =
            grid.holds(top + i, left + j) ? image + ((top + i) * grid.width + left + j) * pitch : zeros;
    for_packs<S>(
        channels, [&](auto lanes, Index c) __attribute__((always_inline)) {
          auto* const to = v + layout.of(c);
          std::array<P, e * Size> halfway;
#pragma GCC unroll 6
          for (int j = 0; j < Size; ++j) {
            std::array<P, Size> d;
#pragma GCC unroll 6
            for (int i = 0; i < Size; ++i) d[i] = lanes.load(from[i * Size + j] + c);
            map(d.data(), halfway.data() + j, Size);
          }
#pragma GCC unroll 6
          for (int i = 0; i < e; ++i) {
            std::array<P, e> out;
            map(halfway.data() + i * Size, out.data(), 1);
#pragma GCC unroll 6
            for (int j = 0; j < e; ++j) out[j].store(to + (i * e + j) * layout.group);
          }
        });
  }
}

/// V = Bᵀ d B of tiles [begin, end) of x (n, h, w, c).
template <class W, class S, class Layout>
void transform_input(TileGrid<W> const& grid, S const* x, S const* zeros, Index channels, Index begin,
                     Index end, S* v, Layout const& layout) {
  transform_squares<W::edge>(grid, x, zeros, channels, channels, 1, begin, end, v, layout,
                             [](auto const* d, auto* to, int step) { W::input(d, 1, to, step); });
}

/// A g Aᵀ of tiles [begin, end) and `channels` channels of the gradient g, whose pixels hold `pitch`.
template <class W, class S>
void transform_gradient(TileGrid<W> const& grid, S const* g, S const* zeros, Index channels, Index pitch,
                        Index begin, Index end, S* h, PanelLayout<W, S> const& layout) {
  transform_squares<W::tile>(grid, g, zeros, channels, pitch, 0, begin, end, h, layout,
                             [](auto const* d, auto* to, int step) { W::output_adjoint(d, 1, to, step); });
}

/// y = Aᵀ m A and its epilogue for tiles [begin, end) and `channels` channels of y, whose pixels hold
/// `pitch`; m is the place of tile `begin`.
template <class W, class S>
void transform_output(TileGrid<W> const& grid, S const* m, PanelLayout<W, S> const& layout, Index channels,
                      Index pitch, Index begin, Index end, S* y, Epilogue<S> const& after) {
  using P = Pack<S>;
  constexpr int e = W::edge;
  constexpr int size = W::tile;
  for (auto t = begin; t < end; ++t, m += layout.pitch) {
    auto const top = grid.top(t);
    auto const left = grid.left(t);
    auto const lines = std::min<Index>(size, grid.height - top);
    auto const pixels = std::min<Index>(size, grid.width - left);
    auto const corner = grid.image(t, pitch) + (top * grid.width + left) * pitch;
    auto const* const bias_row = after.bias + t / (grid.rows * grid.columns) * after.bias_pitch;
    auto const run = [&]<bool Whole>(std::bool_constant<Whole>) {
      for_packs<S>(
          channels, [&](auto lanes, Index c) __attribute__((always_inline)) {
            auto const* const from = m + layout.of(c);
            std::array<P, size * e> halfway;
#pragma GCC unroll 6
            for (int j = 0; j < e; ++j) {
              std::array<P, e> d;
#pragma GCC unroll 6
              for (int i = 0; i < e; ++i) d[i] = P::load(from + (i * e + j) * layout.group);
              W::output(d.data(), 1, halfway.data() + j, e);
            }
            auto const bias = after.bias ? lanes.load(bias_row + c) : P(0.0);
#pragma GCC unroll 4
            for (int i = 0; i < size; ++i) {
              std::array<P, size> out;
              W::output(halfway.data() + i * e, 1, out.data(), 1);
              auto const at = corner + i * grid.width * pitch + c;
#pragma GCC unroll 4
              for (int j = 0; j < size; ++j)
                if (Whole || (i < lines && j < pixels))
                  lanes.store(after.finish(out[j] + bias, at + j * pitch, lanes), y + at + j * pitch);
            }
          });
    };
    if (lines == size && pixels == size) {
      run(std::true_type{});
    } else {
      run(std::false_type{});
    }
  }
}

/// U = G w Gᵀ of weights (3, 3, c, o), or of their flipped transpose, for panels [first, first + count); u is
/// the place of panel `first`.
template <class W, class S>
void transform_weights(Tensor<S, Cpu> const& w, bool flipped, Index first, Index count, S* u) {
  using P = Pack<S>;
  constexpr int e = W::edge;
  constexpr auto width = Block<S>::width;
  auto const in = w.shape()[flipped ? 3 : 2];
  auto const out = w.shape()[flipped ? 2 : 3];
  auto const pitch = flipped ? Index{1} : out;  // between input channels
  auto const stride = flipped ? in : Index{1};  // between output channels
  auto const layout = WeightLayout<W, S>{in};
  parallel_for(count, [&](Index panel) {
    auto const p = first + panel;
    auto const n = std::min(width, out - p * width);
    std::array<S, static_cast<std::size_t>(9 * width)> taps{};
    for (Index c = 0; c < in; ++c) {
      for (Index tap = 0; tap < 9; ++tap) {
        auto const* const from =
            w.data() + (flipped ? 8 - tap : tap) * in * out + c * pitch + p * width * stride;
        auto* const to = taps.data() + tap * width;
        if (stride == 1) {
          std::copy_n(from, n, to);
        } else {
          for (Index o = 0; o < n; ++o) to[o] = from[o * stride];
        }
      }
      auto* const to = u + layout.of(panel, 0) + c * width;
      for (Index o = 0; o < width; o += P::width) {
        std::array<P, e * 3> halfway;
#pragma GCC unroll 3
        for (int j = 0; j < 3; ++j) {
          std::array<P, 3> d;
#pragma GCC unroll 3
          for (int i = 0; i < 3; ++i) d[i] = P::load(taps.data() + (i * 3 + j) * width + o);
          W::weights(d.data(), 1, halfway.data() + j, 3);
        }
#pragma GCC unroll 6
        for (int i = 0; i < e; ++i) {
          std::array<P, e> d;
          W::weights(halfway.data() + i * 3, 1, d.data(), 1);
#pragma GCC unroll 6
          for (int j = 0; j < e; ++j) d[j].store(to + (i * e + j) * layout.plane + o);
        }
      }
    }
  });
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
