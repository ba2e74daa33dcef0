// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cuda/layout.hpp>
#include <consistency/tensor/cuda/pointwise.cuh>
#include <consistency/tensor/interpolation.hpp>

namespace consistency::cuda {

/// Runs f with packs of 16 bytes where all counts of channels and all addresses allow it, else number by
/// number: f(pack, width) with the type of a pack as a value.
template <class S, class F>
void in_packs(std::initializer_list<Index> counts, std::initializer_list<void const*> addresses, F const& f) {
  constexpr Index wide = 16 / sizeof(S);
  auto const fits =
      aligned(addresses) && std::all_of(counts.begin(), counts.end(), [](Index c) { return c % wide == 0; });
  fits ? f(Numbers<S, static_cast<int>(wide)>{}, wide) : f(Numbers<S, 1>{}, Index{1});
}

template <class P>
struct ConcatRows {
  P const* a;
  P const* b;
  P* y;
  Extent left, right;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const row = i / (left + right);
    auto const column = i % (left + right);
    y[i] = column < left ? a[row * left + column] : b[row * right + column - left];
  }
};

template <CompiledScalar S>
void concat(S const* a, S const* b, Index rows, Index left, Index right, S* y) {
  static_cast<void>(extent(rows * (left + right)));
  in_packs<S>({left, right}, {a, b, y}, [&]<class P>(P, Index w) {
    for_each(
        rows * (left + right) / w,
        ConcatRows<P>{reinterpret_cast<P const*>(a), reinterpret_cast<P const*>(b), reinterpret_cast<P*>(y),
                      static_cast<Extent>(left / w), static_cast<Extent>(right / w)});
  });
}

template <class P>
struct SliceRows {
  P const* x;
  P* y;
  Extent columns, begin, width;
  CONSISTENCY_HD void operator()(Extent i) const { y[i] = x[i / width * columns + begin + i % width]; }
};

template <CompiledScalar S>
void slice(S const* x, Index rows, Index columns, Index begin, Index width, S* y) {
  static_cast<void>(extent(rows * columns));
  in_packs<S>({columns, begin, width}, {x, y}, [&]<class P>(P, Index w) {
    for_each(rows * width / w, SliceRows<P>{reinterpret_cast<P const*>(x), reinterpret_cast<P*>(y),
                                            static_cast<Extent>(columns / w), static_cast<Extent>(begin / w),
                                            static_cast<Extent>(width / w)});
  });
}

template <class P>
struct UpsampleImage {
  P const* x;
  P* y;
  Extent w, c;  // of x
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % c;
    auto const column = i / c % (2 * w);
    auto const line = i / c / (2 * w);  // 2h lines per image: line / 2 counts through all images
    y[i] = x[(line / 2 * w + column / 2) * c + channel];
  }
};

template <CompiledScalar S>
void upsample(S const* x, Index lines, Index w, Index c, S* y) {
  static_cast<void>(extent(4 * lines * w * c));
  in_packs<S>({c}, {x, y}, [&]<class P>(P, Index width) {
    for_each(4 * lines * w * c / width,
             UpsampleImage<P>{reinterpret_cast<P const*>(x), reinterpret_cast<P*>(y), static_cast<Extent>(w),
                              static_cast<Extent>(c / width)});
  });
}

template <class S, int W>
struct DownsampleImage {
  Numbers<S, W> const* x;
  Numbers<S, W>* y;
  Extent w, c;  // of y
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % c;
    auto const pixel = i / c;
    auto const* const from = x + (pixel / w * 4 * w + pixel % w * 2) * c + channel;
    auto const below = 2 * w * c;
    for (int k = 0; k < W; ++k)
      y[i].x[k] = (from[0].x[k] + from[c].x[k] + (from[below].x[k] + from[below + c].x[k])) * S(0.25);
  }
};

template <CompiledScalar S>
void downsample(S const* x, Index lines, Index w, Index c, S* y) {
  static_cast<void>(extent(4 * lines * w * c));
  in_packs<S>({c}, {x, y}, [&]<int W>(Numbers<S, W>, Index width) {
    for_each(
        lines * w * c / width,
        DownsampleImage<S, W>{reinterpret_cast<Numbers<S, W> const*>(x), reinterpret_cast<Numbers<S, W>*>(y),
                              static_cast<Extent>(w), static_cast<Extent>(c / width)});
  });
}

template <class S, int W>
struct BlurImage {
  Numbers<S, W> const* x;
  Numbers<S, W>* y;
  Extent h, w, c;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const column = i / c % w, line = i / c / w % h;
    auto const left = column > 0, right = column + 1 < w, above = line > 0, below = line + 1 < h;
    auto const side = [&](bool there, Extent at, int k) { return there ? x[at].x[k] : S(0); };
    for (int k = 0; k < W; ++k) {
      auto const sum = [&](bool there, Extent at) {  // of a column, (1, 2, 1)
        if (!there) return S(0);
        auto const outer = side(above, at - w * c, k) + side(below, at + w * c, k);
        return outer + (x[at].x[k] + x[at].x[k]);
      };
      auto const own = sum(true, i);
      y[i].x[k] = ((sum(left, i - c) + sum(right, i + c)) + (own + own)) * S(1.0 / 16);
    }
  }
};

template <CompiledScalar S>
void blur(S const* x, Index n, Index h, Index w, Index c, S* y) {
  static_cast<void>(extent(n * h * w * c));
  in_packs<S>({c}, {x, y}, [&]<int W>(Numbers<S, W>, Index width) {
    for_each(n * h * w * c / width,
             BlurImage<S, W>{reinterpret_cast<Numbers<S, W> const*>(x), reinterpret_cast<Numbers<S, W>*>(y),
                             static_cast<Extent>(h), static_cast<Extent>(w), static_cast<Extent>(c / width)});
  });
}

template <class P>
struct FoldPixels {
  P const* x;
  P* y;
  Extent w, c, patch;  // width of the folded image, channels of the unfolded one
  bool inverse;
  CONSISTENCY_HD void operator()(Extent i) const {  // i: in the folded image
    auto const channel = i % c;
    auto const j = i / c % patch;
    auto const row = i / c / patch % patch;
    auto const pixel = i / c / patch / patch;
    auto const unfolded = ((pixel / w * patch + row) * w * patch + pixel % w * patch + j) * c + channel;
    if (inverse) {
      y[unfolded] = x[i];
    } else {
      y[i] = x[unfolded];
    }
  }
};

template <CompiledScalar S>
void space_to_depth(S const* x, Index lines, Index w, Index c, Index patch, bool inverse, S* y) {
  auto const count = lines * w * patch * patch * c;
  static_cast<void>(extent(count));
  in_packs<S>({c}, {x, y}, [&]<class P>(P, Index width) {
    for_each(count / width,
             FoldPixels<P>{reinterpret_cast<P const*>(x), reinterpret_cast<P*>(y), static_cast<Extent>(w),
                           static_cast<Extent>(c / width), static_cast<Extent>(patch), inverse});
  });
}

template <class S>
struct ResizeImage {
  S const* x;
  S* y;
  Interpolation rows, columns;
  Index c;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % c;
    auto const column = i / c % columns.out;
    auto const row = i / c / columns.out % rows.out;
    auto const image = i / c / columns.out / rows.out;
    double sum = 0;
    for (auto h = rows.first(row); h < rows.last(row); ++h) {
      auto const a = rows.weight(row, h);
      if (a == 0) continue;
      for (auto w = columns.first(column); w < columns.last(column); ++w) {
        auto const b = columns.weight(column, w);
        auto const at = ((image * rows.in + h) * columns.in + w) * c + channel;
        if (b != 0) sum += a * b * static_cast<double>(x[at]);
      }
    }
    y[i] = static_cast<S>(sum);
  }
};

template <CompiledScalar S>
void resize(S const* x, Shape const& from, Shape const& to, bool adjoint, double centre, S* y) {
  for_each(
      to.count(),
      ResizeImage<S>{x, y, {from[1], to[1], adjoint, centre}, {from[2], to[2], adjoint, centre}, from[3]});
}

}  // namespace consistency::cuda
