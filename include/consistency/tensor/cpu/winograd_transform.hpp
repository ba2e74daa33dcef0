#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/gemm.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>

namespace consistency::cpu {

/// Winograd's F(4×4, 3×3) (Lavin & Gray 2016): a 4×4 tile of a 3×3 convolution from 36 products instead of
/// 144. The interpolation points {0, ±5/8, ±3/2, ∞} keep its error near a direct convolution's.
struct Winograd {
  static constexpr int tile = 4, edge = 6, frequencies = 36;
  static constexpr double a = 0.625, b = 1.5, A = a * a, B = b * b;

  /// Bᵀ d: six numbers, `step` apart, to six.
  template <class P>
  static void input(P const* d, int step, P* v, int to) {
    auto const even_a = d[4 * step] - P(B) * d[2 * step];
    auto const odd_a = P(a) * (d[3 * step] - P(B) * d[step]);
    auto const even_b = d[4 * step] - P(A) * d[2 * step];
    auto const odd_b = P(b) * (d[3 * step] - P(A) * d[step]);
    v[0] = fma(P(A * B), d[0], d[4 * step] - P(A + B) * d[2 * step]);
    v[to] = even_a + odd_a;
    v[2 * to] = even_a - odd_a;
    v[3 * to] = even_b + odd_b;
    v[4 * to] = even_b - odd_b;
    v[5 * to] = fma(P(A * B), d[step], d[5 * step] - P(A + B) * d[3 * step]);
  }
  /// Aᵀ m: six numbers to four.
  template <class P>
  static void output(P const* m, int step, P* y, int to) {
    auto const sum_a = m[step] + m[2 * step];
    auto const difference_a = m[step] - m[2 * step];
    auto const sum_b = m[3 * step] + m[4 * step];
    auto const difference_b = m[3 * step] - m[4 * step];
    y[0] = m[0] + sum_a + sum_b;
    y[to] = fma(P(a), difference_a, P(b) * difference_b);
    y[2 * to] = fma(P(A), sum_a, P(B) * sum_b);
    y[3 * to] = fma(P(a * A), difference_a, fma(P(b * B), difference_b, m[5 * step]));
  }
  /// A g: four numbers to six, the adjoint of `output`.
  template <class P>
  static void spread(P const* g, int step, P* w, int to) {
    auto const even_a = fma(P(A), g[2 * step], g[0]);
    auto const odd_a = fma(P(a * A), g[3 * step], P(a) * g[step]);
    auto const even_b = fma(P(B), g[2 * step], g[0]);
    auto const odd_b = fma(P(b * B), g[3 * step], P(b) * g[step]);
    w[0] = g[0];
    w[to] = even_a + odd_a;
    w[2 * to] = even_a - odd_a;
    w[3 * to] = even_b + odd_b;
    w[4 * to] = even_b - odd_b;
    w[5 * to] = g[3 * step];
  }
  /// G, six by three: row j holds the powers of point j over Π (pⱼ − pₖ).
  static constexpr std::array<std::array<double, 3>, 6> G = {
      {{1 / (A * B), 0, 0},
       {1 / (2 * A * (A - B)), a / (2 * A * (A - B)), A / (2 * A * (A - B))},
       {1 / (2 * A * (A - B)), -a / (2 * A * (A - B)), A / (2 * A * (A - B))},
       {1 / (2 * B * (B - A)), b / (2 * B * (B - A)), B / (2 * B * (B - A))},
       {1 / (2 * B * (B - A)), -b / (2 * B * (B - A)), B / (2 * B * (B - A))},
       {0, 0, 1}}};
};

/// How the output of a 3×3 stride-1 convolution is cut into tiles, and tiles into blocks that fit the
/// second-level cache. Depends on shapes alone.
struct TileGrid {
  Index height, width, rows, columns, tiles, block;

  TileGrid(Shape const& image, Index channels, Index out, std::size_t scalar)
      : height{image[1]},
        width{image[2]},
        rows{(height + Winograd::tile - 1) / Winograd::tile},
        columns{(width + Winograd::tile - 1) / Winograd::tile},
        tiles{image[0] * rows * columns},
        block{std::clamp<Index>((Index{1} << 19) /
                                    (Winograd::frequencies * (channels + out) * static_cast<Index>(scalar)) /
                                    14 * 14,
                                14, 56)} {}

  Index blocks() const { return (tiles + block - 1) / block; }
};

/// Where a transformed tile lies: frequency f of tile t at f · plane + t · pitch.
struct TilePlane {
  Index plane, pitch;
};

/// V = Bᵀ d B of tiles [begin, end) of x (n, h, w, c).
template <class S>
void transform_input(TileGrid const& grid, S const* x, Index channels, Index begin, Index end, S* v,
                     TilePlane to) {
  using P = Pack<S>;
  constexpr auto e = Winograd::edge;
  for (auto t = begin; t < end; ++t, v += to.pitch) {
    auto const top = t / grid.columns % grid.rows * Winograd::tile - 1;
    auto const left = t % grid.columns * Winograd::tile - 1;
    auto const* const image = x + t / (grid.rows * grid.columns) * grid.height * grid.width * channels;
    for (Index c = 0; c < channels; c += P::width) {
      auto const lanes = std::min(P::width, channels - c);
      std::array<P, Winograd::frequencies> d, half;
      for (int i = 0; i < e; ++i)
        for (int j = 0; j < e; ++j) {
          auto const row = top + i;
          auto const column = left + j;
          auto const inside = row >= 0 && row < grid.height && column >= 0 && column < grid.width;
          auto const* const from = image + (row * grid.width + column) * channels + c;
          d[static_cast<std::size_t>(i * e + j)] = !inside             ? P(0.0)
                                                   : lanes == P::width ? P::load(from)
                                                                       : P::load_part(from, lanes);
        }
      for (int j = 0; j < e; ++j) Winograd::input(d.data() + j, e, half.data() + j, e);
      for (int i = 0; i < e; ++i) Winograd::input(half.data() + i * e, 1, d.data() + i * e, 1);
      for (int f = 0; f < Winograd::frequencies; ++f)
        store(d[static_cast<std::size_t>(f)], v + f * to.plane + c, lanes);
    }
  }
}

/// y = Aᵀ m A + bias for tiles [begin, end).
template <class S>
void transform_output(TileGrid const& grid, S const* m, TilePlane from, Index channels, Index begin,
                      Index end, S* y, S const* bias) {
  using P = Pack<S>;
  constexpr auto e = Winograd::edge;
  constexpr auto size = Winograd::tile;
  for (auto t = begin; t < end; ++t, m += from.pitch) {
    auto const top = t / grid.columns % grid.rows * size;
    auto const left = t % grid.columns * size;
    auto* const image = y + t / (grid.rows * grid.columns) * grid.height * grid.width * channels;
    auto const lines = std::min<Index>(size, grid.height - top);
    auto const pixels = std::min<Index>(size, grid.width - left);
    for (Index c = 0; c < channels; c += P::width) {
      auto const lanes = std::min(P::width, channels - c);
      std::array<P, Winograd::frequencies> d;
      std::array<P, e * size> half;
      std::array<P, size * size> out;
      for (int f = 0; f < Winograd::frequencies; ++f) {
        auto const* const p = m + f * from.plane + c;
        d[static_cast<std::size_t>(f)] = lanes == P::width ? P::load(p) : P::load_part(p, lanes);
      }
      auto const offset = !bias               ? P(0.0)
                          : lanes == P::width ? P::load(bias + c)
                                              : P::load_part(bias + c, lanes);
      for (int j = 0; j < e; ++j) Winograd::output(d.data() + j, e, half.data() + j, e);
      for (int i = 0; i < size; ++i) Winograd::output(half.data() + i * e, 1, out.data() + i * size, 1);
      for (Index i = 0; i < lines; ++i)
        for (Index j = 0; j < pixels; ++j)
          store(out[static_cast<std::size_t>(i * size + j)] + offset,
                image + ((top + i) * grid.width + left + j) * channels + c, lanes);
    }
  }
}

/// A g Aᵀ of tiles [begin, end) of the gradient, as panels for a matrix product over tiles.
template <class S>
void transform_gradient(TileGrid const& grid, S const* g, Index channels, Index begin, Index end, S* w) {
  using P = Pack<S>;
  constexpr auto e = Winograd::edge;
  constexpr auto size = Winograd::tile;
  auto const depth = end - begin;
  auto const plane = panels<S>(channels) * depth * Block<S>::width;
  for (auto t = begin; t < end; ++t) {
    auto const top = t / grid.columns % grid.rows * size;
    auto const left = t % grid.columns * size;
    auto const* const image = g + t / (grid.rows * grid.columns) * grid.height * grid.width * channels;
    for (Index c = 0; c < panels<S>(channels) * Block<S>::width; c += P::width) {
      auto const lanes = std::clamp<Index>(channels - c, 0, P::width);
      std::array<P, size * size> d;
      std::array<P, e * size> half;
      std::array<P, Winograd::frequencies> out;
      for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j) {
          auto const inside = top + i < grid.height && left + j < grid.width;
          auto const* const from = image + ((top + i) * grid.width + left + j) * channels + c;
          d[static_cast<std::size_t>(i * size + j)] = !inside || lanes == 0 ? P(0.0)
                                                      : lanes == P::width   ? P::load(from)
                                                                            : P::load_part(from, lanes);
        }
      for (int j = 0; j < size; ++j) Winograd::spread(d.data() + j, size, half.data() + j, size);
      for (int i = 0; i < e; ++i) Winograd::spread(half.data() + i * size, 1, out.data() + i * e, 1);
      auto* const to = w + (c / Block<S>::width * depth + t - begin) * Block<S>::width + c % Block<S>::width;
      for (int f = 0; f < Winograd::frequencies; ++f) out[static_cast<std::size_t>(f)].store(to + f * plane);
    }
  }
}

/// U = G w Gᵀ of weights (3, 3, c, o), or of their flipped transpose, in panels per frequency.
template <class S>
Tensor<S, Cpu> transform_weights(Tensor<S, Cpu> const& w, bool flipped) {
  auto const in = w.shape()[flipped ? 3 : 2];
  auto const out = w.shape()[flipped ? 2 : 3];
  auto const pitch = flipped ? Index{1} : out;  // between input channels
  auto const stride = flipped ? in : Index{1};  // between output channels
  constexpr auto width = Block<S>::width;
  auto const count = panels<S>(out);
  auto u = Tensor<S, Cpu>{Shape{Winograd::frequencies, count, in, width}};
  parallel_for(count, [&](Index p) {
    auto const n = std::min(width, out - p * width);
    std::array<std::array<S, static_cast<std::size_t>(width)>, 9> taps{};
    std::array<std::array<S, static_cast<std::size_t>(width)>, 18> half;
    for (Index c = 0; c < in; ++c) {
      for (std::size_t tap = 0; tap < 9; ++tap) {
        auto const* const from = w.data() + static_cast<Index>(flipped ? 8 - tap : tap) * in * out +
                                 c * pitch + p * width * stride;
        for (Index o = 0; o < n; ++o) taps[tap][static_cast<std::size_t>(o)] = from[o * stride];
      }
      for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t j = 0; j < 3; ++j)
          for (std::size_t o = 0; o < width; ++o)
            half[i * 3 + j][o] = static_cast<S>(Winograd::G[i][0]) * taps[j][o] +
                                 static_cast<S>(Winograd::G[i][1]) * taps[3 + j][o] +
                                 static_cast<S>(Winograd::G[i][2]) * taps[6 + j][o];
      for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t j = 0; j < 6; ++j) {
          auto* const to = u.mutable_data() + ((static_cast<Index>(i * 6 + j) * count + p) * in + c) * width;
          for (std::size_t o = 0; o < width; ++o)
            to[o] = static_cast<S>(Winograd::G[j][0]) * half[i * 3][o] +
                    static_cast<S>(Winograd::G[j][1]) * half[i * 3 + 1][o] +
                    static_cast<S>(Winograd::G[j][2]) * half[i * 3 + 2][o];
        }
    }
  });
  return u;
}

}  // namespace consistency::cpu
