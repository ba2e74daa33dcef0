// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/tensor/cuda/conv2d.hpp>
#include <consistency/tensor/cuda/gemm.cuh>
#include <consistency/tensor/cuda/layout.cuh>

namespace consistency::cuda {

/// Extents of a convolution as the device counts; c in packs.
struct Window {
  Extent h, w, c, k, l, stride, out_h, out_w;
  Window(Convolution const& s, Index pack)
      : h{static_cast<Extent>(s.h)},
        w{static_cast<Extent>(s.w)},
        c{static_cast<Extent>(s.c / pack)},
        k{static_cast<Extent>(s.k)},
        l{static_cast<Extent>(s.l)},
        stride{static_cast<Extent>(s.stride)},
        out_h{static_cast<Extent>(s.out_h())},
        out_w{static_cast<Extent>(s.out_w())} {}
};

/// Rows of k·l·c numbers, one for each output pixel: what the kernel sees there.
template <class P>
struct GatherPatches {
  Window s;
  P const* x;
  P* to;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % s.c;
    auto const tap = i / s.c % (s.k * s.l);
    auto const pixel = i / s.c / (s.k * s.l);
    auto const row = pixel / s.out_w % s.out_h * s.stride + tap / s.l - s.k / 2;
    auto const column = pixel % s.out_w * s.stride + tap % s.l - s.l / 2;
    auto const image = pixel / s.out_w / s.out_h;
    auto const inside = row >= 0 && row < s.h && column >= 0 && column < s.w;
    to[i] = inside ? x[((image * s.h + row) * s.w + column) * s.c + channel] : P{};
  }
};

/// The adjoint: each pixel of dx adds up what it was in the patches around it.
template <class S, int W>
struct ScatterPatches {
  Window s;
  Numbers<S, W> const* patches;
  Numbers<S, W>* dx;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % s.c;
    auto const column = i / s.c % s.w;
    auto const row = i / s.c / s.w % s.h;
    auto const image = i / s.c / s.w / s.h;
    Numbers<S, W> sum{};
    for (Extent tap = 0; tap < s.k * s.l; ++tap) {
      auto const y = row + s.k / 2 - tap / s.l;
      auto const x = column + s.l / 2 - tap % s.l;
      if (y < 0 || x < 0 || y % s.stride != 0 || x % s.stride != 0) continue;
      if (y / s.stride >= s.out_h || x / s.stride >= s.out_w) continue;
      auto const pixel = (image * s.out_h + y / s.stride) * s.out_w + x / s.stride;
      auto const& from = patches[(pixel * s.k * s.l + tap) * s.c + channel];
      for (int j = 0; j < W; ++j) sum.x[j] += from.x[j];
    }
    dx[i] = sum;
  }
};

/// Convolution as products of patches and weights, a few samples at a time: visit(first sample, samples, rows
/// of patches).
template <class S, class Visit>
void for_patches(Convolution const& s, Visit const& visit) {
  constexpr Index most = Index{1} << 26U;  // numbers in the buffer
  auto const rows = s.out_h() * s.out_w();
  auto const depth = s.depth();
  static_cast<void>(extent(rows * depth));
  auto const at_a_time =
      std::clamp<Index>(most / std::max<Index>(1, rows * depth), 1, std::max<Index>(1, s.n));
  Buffer<S> const buffer{at_a_time * rows * depth};
  for (Index first = 0; first < s.n; first += at_a_time)
    visit(first, std::min(at_a_time, s.n - first), buffer.data());
}

template <class S>
void gather(Convolution const& s, S const* x, Index samples, S* patches) {
  in_packs<S>({s.c}, {x, patches}, [&]<class P>(P, Index pack) {
    for_each(samples * s.out_h() * s.out_w() * s.depth() / pack,
             GatherPatches<P>{Window{s, pack}, reinterpret_cast<P const*>(x), reinterpret_cast<P*>(patches)});
  });
}

/// Convolutions by cuBLASLt.
struct PatchConvolution {
  template <class S>
  static void value(Convolution const& s, S const* x, S const* w, S const* bias, S* y) {
    auto const rows = s.out_h() * s.out_w();
    auto const depth = s.depth();
    auto const multiply = [&](Index first, Index samples, S const* patches) {
      gemm<S>({.m = samples * rows,
               .n = s.o,
               .k = depth,
               .a = patches,
               .lda = depth,
               .b = w,
               .ldb = s.o,
               .c = y + first * rows * s.o,
               .ldc = s.o,
               .bias = bias});
    };
    if (s.is_product()) return multiply(0, s.n, x);
    for_patches<S>(s, [&](Index first, Index samples, S* patches) {
      gather(s, x + first * s.h * s.w * s.c, samples, patches);
      multiply(first, samples, patches);
    });
  }

  template <class S>
  static void data_gradient(Convolution const& s, S const* g, S const* w, S* dx) {
    auto const rows = s.out_h() * s.out_w();
    auto const depth = s.depth();
    auto const multiply = [&](Index first, Index samples, S* patches) {
      gemm<S>({.m = samples * rows,
               .n = depth,
               .k = s.o,
               .a = g + first * rows * s.o,
               .lda = s.o,
               .b = w,
               .ldb = s.o,
               .b_transposed = true,
               .c = patches,
               .ldc = depth});
    };
    if (s.is_product()) return multiply(0, s.n, dx);
    for_patches<S>(s, [&](Index first, Index samples, S* patches) {
      multiply(first, samples, patches);
      auto* const to = dx + first * s.h * s.w * s.c;
      in_packs<S>({s.c}, {patches, to}, [&]<int W>(Numbers<S, W>, Index pack) {
        for_each(samples * s.h * s.w * s.c / pack,
                 ScatterPatches<S, W>{Window{s, pack}, reinterpret_cast<Numbers<S, W> const*>(patches),
                                      reinterpret_cast<Numbers<S, W>*>(to)});
      });
    });
  }

  template <class S>
  static void weight_gradient(Convolution const& s, S const* x, S const* g, S* dw) {
    auto const rows = s.out_h() * s.out_w();
    auto const depth = s.depth();
    auto const multiply = [&](Index first, Index samples, S const* patches) {
      gemm<S>({.m = depth,
               .n = s.o,
               .k = samples * rows,
               .a = patches,
               .lda = depth,
               .a_transposed = true,
               .b = g + first * rows * s.o,
               .ldb = s.o,
               .c = dw,
               .ldc = s.o,
               .beta = first == 0 ? 0.0 : 1.0});
    };
    if (s.is_product() || s.n == 0) return multiply(0, s.n, x);
    for_patches<S>(s, [&](Index first, Index samples, S* patches) {
      gather(s, x + first * s.h * s.w * s.c, samples, patches);
      multiply(first, samples, patches);
    });
  }
};

}  // namespace consistency::cuda
