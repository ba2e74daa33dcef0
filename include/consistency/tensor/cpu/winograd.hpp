// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/winograd_transform.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// How a convolution is cut so that what is used again stays in a cache. Depends on shapes alone.
struct WinogradPlan {
  /// Resident: each block of tiles is transformed, multiplied and transformed back by one thread, in its
  /// second-level cache. Otherwise all threads take each of the three steps together: groups of output
  /// channels whose transformed weights stay in the last-level cache, and blocks of tiles beside them.
  bool resident;
  Index block;  ///< tiles
  Index group;  ///< panels of output channels

  /// For `tiles` tiles of `in` channels and `panels` panels of `width` output channels, `height` rows to a
  /// register block; `bytes` per channel of a transformed tile.
  static WinogradPlan forward(Index tiles, Index in, Index panels, Index width, Index height, Index bytes) {
    constexpr Index second_level = 400 << 10;
    auto const out = panels * width;
    auto const fits = second_level / (bytes * (in + out));
    if (in * out <= 2 * fits * (in + out) && tiles >= 32)
      return {true,
              pieces_of(tiles, std::clamp<Index>((tiles / 8 + height - 1) / height * height, height,
                                                 std::max(height, fits))),
              panels};
    // Few tiles stay one block, so that the inputs are transformed once.
    constexpr Index few = 64, no_limit = 64 << 20;
    return grouped(tiles, in, panels, width, bytes, 5 << 20, tiles <= few ? no_limit : 5 << 19);
  }

  /// Sums over tiles stay in the cache in place of weights, and more tiles: each pass over the sums then adds
  /// more.
  static WinogradPlan gradient(Index tiles, Index in, Index panels, Index width, Index bytes) {
    return grouped(tiles, in, panels, width, bytes, 5 << 20, 4 << 20);
  }

 private:
  static WinogradPlan grouped(Index tiles, Index in, Index panels, Index width, Index bytes,
                              Index weights_kept, Index tiles_kept) {
    auto const group = pieces_of(panels, std::max<Index>(1, weights_kept / (bytes * in * width)));
    auto const block = std::clamp<Index>(tiles_kept / (bytes * (in + group * width)), 16, 1024);
    return {false, pieces_of(tiles, block), group};
  }

  /// The size of equal pieces of `count`, none larger than `most`.
  static Index pieces_of(Index count, Index most) {
    auto const pieces = std::max<Index>(1, (count + most - 1) / most);
    return std::max<Index>(1, (count + pieces - 1) / pieces);
  }
};

template <class W, class S>
inline constexpr Index bytes_per_channel = W::frequencies * static_cast<Index>(sizeof(S));

/// Tiles per chunk of a transform: about 16K numbers.
inline Index transform_grain(Index frequencies, Index channels) {
  return std::max<Index>(1, 16384 / (frequencies * channels));
}

/// The transformed weights of one convolution: made group by group when they are asked for, or all at once
/// and kept where the tensor is prepared.
template <class W, class S>
class WinogradWeights {
 public:
  /// Of w (3, 3, c, o); `flipped` for the adjoint in x.
  WinogradWeights(Tensor<S, Cpu> const& w, bool flipped) : w_{w}, flipped_{flipped} {
    all_ = w.prepared_form(2 * W::tile + (flipped ? 1 : 0), [&] {
      auto u = room(cpu::panels<S>(out()));
      transform_weights<W>(w, flipped, 0, cpu::panels<S>(out()), u.mutable_data());
      return u;
    });
  }

  Index in() const { return w_.shape()[flipped_ ? 3 : 2]; }
  Index out() const { return w_.shape()[flipped_ ? 2 : 3]; }

  /// Room for groups of `count` panels, if that is needed.
  Tensor<S, Cpu> room(Index count) const {
    return all_.defined() ? Tensor<S, Cpu>{} : WeightLayout<W, S>{in()}.allocate(count);
  }
  /// Where the panels [first, first + count) lie, transformed into `room` if need be.
  S const* panels(Index first, Index count, Tensor<S, Cpu>& room) const {
    if (all_.defined()) return all_.data() + WeightLayout<W, S>{in()}.of(first, 0);
    transform_weights<W>(w_, flipped_, first, count, room.mutable_data());
    return room.data();
  }

 private:
  Tensor<S, Cpu> const& w_;
  bool flipped_;
  Tensor<S, Cpu> all_;
};

/// The operands of y = conv(x, w) with stride 1, or of its adjoint in x: y = Aᵀ [(Bᵀ x B) (G w Gᵀ)] A, where
/// the product is that of a (tiles × in) and an (in × out) matrix for each frequency.
template <class W, class S, class Layout>
struct WinogradConvolution {
  static constexpr auto width = Block<S>::width;

  Tensor<S, Cpu> const& x;  // (n, h, w, in)
  WinogradWeights<W, S> const& weights;
  S* y;  // (n, h, w, out)
  Epilogue<S> const& after;
  Index in = weights.in();
  Index out = weights.out();
  TileGrid<W> grid{x.shape()};
  WinogradPlan plan =
      WinogradPlan::forward(grid.tiles, in, panels<S>(out), width, Block<S>::height, bytes_per_channel<W, S>);
  Layout inputs{in};                               // how transformed tiles of x lie
  WeightLayout<W, S> matrices{in};                 // how transformed weights lie
  PanelLayout<W, S> products{plan.group * width};  // how their products lie
  Tensor<S, Cpu> zeros{Shape{in}, S(0)};

  /// v: the transformed tiles [begin, end) of x, of which the first is at `v`.
  void transform(Index begin, Index end, S* v) const {
    transform_input(grid, x.data(), zeros.data(), in, begin, end, v, inputs);
  }
  /// m = v u for frequency f of `tiles` tiles, and for panels [first, last) of those in u and m.
  void multiply(S const* v, S const* u, S* m, Index f, Index tiles, Index first, Index last) const {
    for (auto p = first; p < last; ++p)
      for_blocks<S>(tiles, [&](Index tile, Index height) {
        block_for<S, true>(height)(
            {v + f * inputs.group + tile * inputs.pitch, inputs.pitch, 1, inputs.group, inputs.step},
            u + matrices.of(p, f), width, matrices.of(1, 0), in,
            m + f * width + tile * products.pitch + p * products.step, products.pitch, {});
      });
  }
};

/// Each block of tiles by one thread: transformed, multiplied and transformed back in its second-level cache.
template <class W, class S, class Layout>
void convolve_resident(WinogradConvolution<W, S, Layout> const& c) {
  auto const panels = c.plan.group;  // all of them
  auto room = c.weights.room(panels);
  auto const* const u = c.weights.panels(0, panels, room);
  parallel_ranges(c.grid.tiles, c.plan.block, [&](Index begin, Index end) {
    auto v = c.inputs.allocate(c.plan.block);
    auto m = c.products.allocate(c.plan.block);
    c.transform(begin, end, v.mutable_data());
    for (Index f = 0; f < W::frequencies; ++f)
      c.multiply(v.data(), u, m.mutable_data(), f, end - begin, 0, panels);
    transform_output(c.grid, m.data(), c.products, c.out, c.out, begin, end, c.y, c.after);
  });
}

/// Each of the three steps by all threads together, for one group of panels and one block of tiles at a time.
template <class W, class S, class Layout>
void convolve_in_groups(WinogradConvolution<W, S, Layout> const& c) {
  auto room = c.weights.room(c.plan.group);
  auto v = c.inputs.allocate(c.plan.block);
  auto m = c.products.allocate(c.plan.block);
  auto const all = panels<S>(c.out);
  for (Index first = 0; first < all; first += c.plan.group) {
    auto const count = std::min(c.plan.group, all - first);
    auto const first_channel = first * c.width;
    auto const channels = std::min(count * c.width, c.out - first_channel);
    auto const parts = count >= 8 ? 2 : 1;  // of a frequency, for the threads
    auto const* const u = c.weights.panels(first, count, room);
    for (Index begin = 0; begin < c.grid.tiles; begin += c.plan.block) {
      auto const tiles = std::min(c.plan.block, c.grid.tiles - begin);
      if (first == 0 || tiles < c.grid.tiles)
        parallel_ranges(tiles, transform_grain(W::frequencies, c.in), [&](Index i, Index j) {
          c.transform(begin + i, begin + j, v.mutable_data() + i * c.inputs.pitch);
        });
      parallel_for(W::frequencies * parts, [&](Index i) {
        c.multiply(v.data(), u, m.mutable_data(), i / parts, tiles, i % parts * count / parts,
                   (i % parts + 1) * count / parts);
      });
      parallel_ranges(tiles, transform_grain(W::frequencies, channels), [&](Index i, Index j) {
        transform_output(c.grid, m.data() + i * c.products.pitch, c.products, channels, c.out, begin + i,
                         begin + j, c.y + first_channel, c.after.from(first_channel));
      });
    }
  }
}

/// y = conv(x, w) with stride 1, or its adjoint in x: x (n, h, w, in) → y (n, h, w, out).
template <class W, class S>
void winograd_convolve(Tensor<S, Cpu> const& x, WinogradWeights<W, S> const& weights, S* y,
                       Epilogue<S> const& after) {
  with_row_layout<W, S>(weights.in(), [&]<class Layout>(Layout const&) {
    auto const c = WinogradConvolution<W, S, Layout>{.x = x, .weights = weights, .y = y, .after = after};
    if (c.plan.resident) {
      convolve_resident(c);
    } else {
      convolve_in_groups(c);
    }
  });
}

/// Gᵀ s G for sums s of one frequency each, (in × padded) numbers `plane` apart, into channels
/// [first, first + count) of w (3, 3, in, out).
template <class W, class S>
void transform_sums(S const* s, Index plane, Index padded, Index in, Index out, Index first, Index count,
                    S* w) {
  using P = Pack<S>;
  constexpr int e = W::edge;
  parallel_ranges(in, std::max<Index>(1, 4096 / padded), [&](Index begin, Index end) {
    for (auto c = begin; c < end; ++c)
      for_packs<S>(count, [&](auto lanes, Index o) {
        std::array<P, 3 * e> halfway;
#pragma GCC unroll 6
        for (int j = 0; j < e; ++j) {
          std::array<P, e> d;
#pragma GCC unroll 6
          for (int i = 0; i < e; ++i) d[i] = P::load(s + (i * e + j) * plane + c * padded + o);
          W::weights_adjoint(d.data(), 1, halfway.data() + j, e);
        }
#pragma GCC unroll 3
        for (int i = 0; i < 3; ++i) {
          std::array<P, 3> tap;
          W::weights_adjoint(halfway.data() + i * e, 1, tap.data(), 1);
#pragma GCC unroll 3
          for (int j = 0; j < 3; ++j) lanes.store(tap[j], w + ((i * 3 + j) * in + c) * out + first + o);
        }
      });
  });
}

/// The gradient of the weights, Gᵀ [Σ over tiles of (Bᵀ d B)ᵀ (A g Aᵀ)] G: each frequency's sum is a
/// matrix product over blocks of tiles.
template <class W, class S, class Layout>
Tensor<S, Cpu> winograd_weight_gradient(Tensor<S, Cpu> const& x, Layout const& left,
                                        Tensor<S, Cpu> const& g) {
  constexpr auto width = Block<S>::width;
  auto const in = x.shape()[3];
  auto const out = g.shape()[3];
  auto const grid = TileGrid<W>{x.shape()};
  auto const plan = WinogradPlan::gradient(grid.tiles, in, panels<S>(out), width, bytes_per_channel<W, S>);
  auto const padded = plan.group * width;
  auto const zeros = Tensor<S, Cpu>{Shape{std::max(in, out)}, S(0)};
  auto const right = PanelLayout<W, S>{padded};
  auto const plane = in * padded + 64 / static_cast<Index>(sizeof(S));
  auto v = left.allocate(plan.block);
  auto h = right.allocate(plan.block);
  auto sums = Tensor<S, Cpu>{Shape{W::frequencies, plane}};
  auto w = Tensor<S, Cpu>{Shape{3, 3, in, out}};
  if (grid.tiles == 0) w.fill(S(0));
  for (Index base = 0; base < panels<S>(out) && grid.tiles > 0; base += plan.group) {
    auto const count = std::min(plan.group, panels<S>(out) - base);
    auto const first_channel = base * width;
    auto const channels = std::min(count * width, out - first_channel);
    for (Index begin = 0; begin < grid.tiles; begin += plan.block) {
      auto const tiles = std::min(plan.block, grid.tiles - begin);
      parallel_ranges(tiles, transform_grain(W::frequencies, in + channels), [&](Index i, Index j) {
        transform_input(grid, x.data(), zeros.data(), in, begin + i, begin + j,
                        v.mutable_data() + i * left.pitch, left);
        transform_gradient(grid, g.data() + first_channel, zeros.data(), channels, out, begin + i, begin + j,
                           h.mutable_data() + i * right.pitch, right);
      });
      auto const groups = (in + left.group - 1) / left.group;
      parallel_for(W::frequencies * groups, [&](Index i) {
        auto const f = i / groups;
        auto const c = i % groups * left.group;
        for (Index p = 0; p < count; ++p)
          for_blocks<S>(std::min(left.group, in - c), [&](Index row, Index height) {
            block_for<S, false>(height)({v.data() + left.of(c) + f * left.group + row, 1, left.pitch},
                                        h.data() + p * right.step + f * width, right.pitch, right.step, tiles,
                                        sums.mutable_data() + f * plane + (c + row) * padded + p * width,
                                        padded, {.accumulate = begin > 0});
          });
      });
    }
    transform_sums<W>(sums.data(), plane, padded, in, out, first_channel, channels, w.mutable_data());
  }
  return w;
}

template <class W, class S>
Tensor<S, Cpu> winograd_weight_gradient(Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& g) {
  Tensor<S, Cpu> w;
  with_row_layout<W, S>(x.shape()[3], [&](auto const& left) { w = winograd_weight_gradient<W>(x, left, g); });
  return w;
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
