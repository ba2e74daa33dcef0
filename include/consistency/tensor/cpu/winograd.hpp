#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/cpu/winograd_transform.hpp>

namespace consistency::cpu {

/// y = conv(x, w) [+ bias], or with `flipped` its adjoint in x.
template <class S>
void winograd_convolve(Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w, bool flipped, S* y, S const* bias) {
  auto const in = w.shape()[flipped ? 3 : 2];
  auto const out = w.shape()[flipped ? 2 : 3];
  auto const grid = TileGrid{x.shape(), in, out, sizeof(S)};
  auto const u = transform_weights(w, flipped);
  auto const plane = panels<S>(out) * in * Block<S>::width;
  parallel_ranges(grid.tiles, grid.block, [&](Index begin, Index end) {
    auto const n = end - begin;
    auto const left = TilePlane{n * (in + 16), in + 16};
    auto const right = TilePlane{n * (out + 16), out + 16};
    auto v = Tensor<S, Cpu>{Shape{Winograd::frequencies, left.plane}};
    auto m = Tensor<S, Cpu>{Shape{Winograd::frequencies, right.plane}};
    transform_input(grid, x.data(), in, begin, end, v.mutable_data(), left);
    for (Index f = 0; f < Winograd::frequencies; ++f)
      multiply_rows<S>({v.data() + f * left.plane, left.pitch, 1}, u.data() + f * plane, n, out, in,
                       m.mutable_data() + f * right.plane, right.pitch);
    transform_output(grid, m.data(), right, out, begin, end, y, bias);
  });
}

/// The gradient of the weights: Gᵀ [Σ over tiles of (Bᵀ d B) ⊙ (A g Aᵀ)] G.
template <class S>
Tensor<S, Cpu> winograd_weight_gradient(Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& g) {
  auto const in = x.shape()[3];
  auto const out = g.shape()[3];
  auto const grid = TileGrid{x.shape(), in, out, sizeof(S)};
  auto const size = Winograd::frequencies * in * out;
  auto const most = std::clamp<Index>((Index{1} << 22) / size, 2, 16);
  auto const per_piece = std::max<Index>(1, (grid.blocks() + most - 1) / most);
  auto const pieces = std::max<Index>(1, (grid.blocks() + per_piece - 1) / per_piece);
  auto partial = Tensor<S, Cpu>{Shape{pieces, size}};
  parallel_for(pieces, [&](Index piece) {
    auto* const to = partial.mutable_data() + piece * size;
    std::fill_n(to, size, S(0));
    auto const pitch = in + 16;
    auto const panel = panels<S>(out) * Block<S>::width;
    auto v = Tensor<S, Cpu>{Shape{Winograd::frequencies, grid.block * pitch}};
    auto h = Tensor<S, Cpu>{Shape{Winograd::frequencies, grid.block * panel}};
    auto const last = std::min(grid.tiles, (piece + 1) * per_piece * grid.block);
    for (auto begin = piece * per_piece * grid.block; begin < last; begin += grid.block) {
      auto const end = std::min(last, begin + grid.block);
      auto const n = end - begin;
      transform_input(grid, x.data(), in, begin, end, v.mutable_data(), {n * pitch, pitch});
      transform_gradient(grid, g.data(), out, begin, end, h.mutable_data());
      for (Index f = 0; f < Winograd::frequencies; ++f)
        multiply_rows<S>({v.data() + f * n * pitch, 1, pitch}, h.data() + f * n * panel, in, out, n,
                         to + f * in * out, out, true);
    }
  });
  auto total = partial;
  if (pieces > 1) {
    total = Tensor<S, Cpu>{Shape{size}};
    sum_middle(partial.data(), 1, pieces, size, total.mutable_data());
  }
  auto w = Tensor<S, Cpu>{Shape{3, 3, in, out}};
  auto const* const u = total.data();
  parallel_ranges(in * out, 1024, [&](Index begin, Index end) {
    for (auto at = begin; at < end; ++at) {
      std::array<std::array<S, 6>, 3> half;
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 6; ++j) {
          S total_j = 0;
          for (std::size_t k = 0; k < 6; ++k)
            total_j += static_cast<S>(Winograd::G[k][i]) * u[static_cast<Index>(k * 6 + j) * in * out + at];
          half[i][j] = total_j;
        }
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) {
          S tap = 0;
          for (std::size_t k = 0; k < 6; ++k) tap += static_cast<S>(Winograd::G[k][j]) * half[i][k];
          w.mutable_data()[static_cast<Index>(i * 3 + j) * in * out + at] = tap;
        }
    }
  });
  return w;
}

}  // namespace consistency::cpu
