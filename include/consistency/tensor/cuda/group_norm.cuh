// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/tensor/cuda/group_norm.hpp>
#include <consistency/tensor/cuda/layout.cuh>
#include <consistency/tensor/cuda/reduce.cuh>

namespace consistency::cuda {

/// x and x² of one channel, to be added up over the pixels of a sample.
template <class S>
struct ChannelTerm {
  S const* x;
  Extent pixels, c;
  CONSISTENCY_HD Sums<2> operator()(Extent b, Extent row, Extent column) const {
    auto const v = static_cast<double>(x[(b * pixels + row) * c + column]);
    return {{v, v * v}};
  }
};

template <class S>
struct GroupLine {
  Sums<2> const* channel;  // (n, c)
  S* statistics;
  Extent pixels, c, groups;
  double epsilon;
  CONSISTENCY_HD void operator()(Extent i) const {
    using std::sqrt;
    auto const width = c / groups;
    auto const* const from = channel + i / groups * c + i % groups * width;
    double sum = 0, squares = 0;
    for (Extent k = 0; k < width; ++k) sum += from[k].x[0], squares += from[k].x[1];
    auto const count = static_cast<double>(width) * pixels;
    auto const mean = sum / count;
    auto const variance = squares / count - mean * mean;
    statistics[2 * i] = static_cast<S>(mean);
    statistics[2 * i + 1] = static_cast<S>(1 / sqrt((variance > 0 ? variance : 0) + epsilon));
  }
};

template <CompiledScalar S>
void group_statistics(GroupNormRun<S> const& p) {
  if (p.n * p.c == 0) return;
  static_cast<void>(extent(p.n * p.pixels * p.c));
  Buffer<Sums<2>> const sums{p.n * p.c};
  auto const pixels = static_cast<Extent>(p.pixels), c = static_cast<Extent>(p.c),
             groups = static_cast<Extent>(p.groups);
  reduce<2>(p.n, p.pixels, p.c, ChannelTerm<S>{p.x, pixels, c}, KeepPartial<2>{sums.data()});
  for_each(p.n * p.groups, GroupLine<S>{sums.data(), p.statistics, pixels, c, groups, p.epsilon});
}

/// What one channel of one sample is normalised with.
template <class S>
struct NormLine {
  S mean, rate, scale, shift;
};
template <class S>
CONSISTENCY_HD NormLine<S> norm_line(GroupNormRun<S> const& p, Extent sample, Extent channel) {
  auto const groups = static_cast<Extent>(p.groups);
  auto const* const line =
      p.statistics + 2 * (sample * groups + channel / (static_cast<Extent>(p.c) / groups));
  auto const at = sample * static_cast<Extent>(p.sample_stride) + channel;
  return {line[0], line[1], p.scale[at], p.shift[at]};
}

template <class S>
CONSISTENCY_HD S sigmoid_of(S u) {
  using std::exp;
  return S(1) / (S(1) + exp(-u));
}

/// The gradient at u = scale · x̂ + shift from the one at the result.
template <class S>
CONSISTENCY_HD S before_silu(bool silu, S u, S g) {
  if (!silu) return g;
  auto const s = sigmoid_of(u);
  return g * s * (S(1) + u * (S(1) - s));
}

template <class S, int W>
struct Normalize {
  GroupNormRun<S> p;
  S* y;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const first = i * W;
    auto const channel = first % static_cast<Extent>(p.c);
    auto const sample = first / static_cast<Extent>(p.c) / static_cast<Extent>(p.pixels);
    auto const x = *reinterpret_cast<Numbers<S, W> const*>(p.x + first);
    Numbers<S, W> to;
    for (int w = 0; w < W; ++w) {
      auto const line = norm_line(p, sample, channel + w);
      auto const u = (x.x[w] - line.mean) * line.rate * line.scale + line.shift;
      to.x[w] = p.silu ? u * sigmoid_of(u) : u;
    }
    *reinterpret_cast<Numbers<S, W>*>(y + first) = to;
  }
};

template <CompiledScalar S>
void group_norm(GroupNormRun<S> const& p, S* y) {
  in_packs<S>({p.c}, {p.x, y}, [&]<int W>(Numbers<S, W>, Index pack) {
    for_each(p.n * p.pixels * p.c / pack, Normalize<S, W>{p, y});
  });
}

template <class S>
struct GradientTerm {
  GroupNormRun<S> p;
  S const* g;
  CONSISTENCY_HD Sums<2> operator()(Extent sample, Extent pixel, Extent channel) const {
    auto const at = (sample * static_cast<Extent>(p.pixels) + pixel) * static_cast<Extent>(p.c) + channel;
    auto const line = norm_line(p, sample, channel);
    auto const normal = (p.x[at] - line.mean) * line.rate;
    auto const gu = static_cast<double>(before_silu(p.silu, normal * line.scale + line.shift, g[at]));
    return {{gu * static_cast<double>(normal), gu}};
  }
};
template <class S>
struct KeepGradientSums {
  S* sums;  // (n, 2, c)
  Extent c;
  CONSISTENCY_HD void operator()(Extent at, Sums<2> const& total) const {
    auto* const to = sums + at / c * 2 * c + at % c;
    to[0] = static_cast<S>(total.x[0]);
    to[c] = static_cast<S>(total.x[1]);
  }
};

template <CompiledScalar S>
void group_norm_sums(GroupNormRun<S> const& p, S const* g, S* sums) {
  reduce<2>(p.n, p.pixels, p.c, GradientTerm<S>{p, g}, KeepGradientSums<S>{sums, static_cast<Extent>(p.c)});
}

/// Means over a group of scale · gu x̂ and scale · gu.
template <class S>
struct GroupMeans {
  GroupNormRun<S> p;
  S const* sums;
  S* means;  // (n, groups, 2)
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const c = static_cast<Extent>(p.c), groups = static_cast<Extent>(p.groups), width = c / groups;
    auto const sample = i / groups;
    double along = 0, total = 0;
    for (auto k = i % groups * width; k < (i % groups + 1) * width; ++k) {
      auto const scale = static_cast<double>(p.scale[sample * static_cast<Extent>(p.sample_stride) + k]);
      along += scale * static_cast<double>(sums[sample * 2 * c + k]);
      total += scale * static_cast<double>(sums[sample * 2 * c + c + k]);
    }
    auto const count = static_cast<double>(width) * static_cast<double>(p.pixels);
    means[2 * i] = static_cast<S>(along / count);
    means[2 * i + 1] = static_cast<S>(total / count);
  }
};

/// dx = (scale · gu − mean(scale · gu) − x̂ · mean(scale · gu · x̂)) / σ
template <class S, int W>
struct NormalizeGradient {
  GroupNormRun<S> p;
  S const* g;
  S const* means;
  S* dx;
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const first = i * W;
    auto const c = static_cast<Extent>(p.c), groups = static_cast<Extent>(p.groups);
    auto const channel = first % c;
    auto const sample = first / c / static_cast<Extent>(p.pixels);
    auto const x = *reinterpret_cast<Numbers<S, W> const*>(p.x + first);
    auto const up = *reinterpret_cast<Numbers<S, W> const*>(g + first);
    Numbers<S, W> to;
    for (int w = 0; w < W; ++w) {
      auto const line = norm_line(p, sample, channel + w);
      auto const* const mean = means + 2 * (sample * groups + (channel + w) / (c / groups));
      auto const normal = (x.x[w] - line.mean) * line.rate;
      auto const gu = before_silu(p.silu, normal * line.scale + line.shift, up.x[w]);
      to.x[w] = (line.scale * gu - mean[1] - normal * mean[0]) * line.rate;
    }
    *reinterpret_cast<Numbers<S, W>*>(dx + first) = to;
  }
};

template <CompiledScalar S>
void group_norm_gradient(GroupNormRun<S> const& p, S const* g, S const* sums, S* dx) {
  if (p.n * p.pixels * p.c == 0) return;
  Buffer<S> const means{2 * p.n * p.groups};
  for_each(p.n * p.groups, GroupMeans<S>{p, sums, means.data()});
  in_packs<S>({p.c}, {p.x, g, dx}, [&]<int W>(Numbers<S, W>, Index pack) {
    for_each(p.n * p.pixels * p.c / pack, NormalizeGradient<S, W>{p, g, means.data(), dx});
  });
}

}  // namespace consistency::cuda
