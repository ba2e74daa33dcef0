// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <consistency/tensor/elementwise.hpp>

/// The operations beside element-wise ones: settings, shape rule, and how much a product computes. A backend
/// implements Kernel<Op, Backend> for each; autodiff/rules/ holds the derivatives.
namespace consistency::op {

[[noreturn]] inline void fail_shape(char const* where, std::string found, std::string expected) {
  fail<shape_error>(where, "operand shapes", std::move(found), std::move(expected));
}
inline void require(bool fits, char const* where, Shape const& a, Shape const& b, char const* expected) {
  if (!fits) fail_shape(where, a.text() + " and " + b.text(), expected);
}

/// a · b; throws shape_error where it would wrap.
inline Index product(Index a, Index b) { return Shape{a, b}.count(); }

/// Sum over the axes in which `target` has extent 1 (or which it lacks in front).
struct SumTo {
  Shape target;
  Shape result(Shape const& x) const {
    require(broadcast(x, target) == x, "sum_to", x, target, "a target that broadcasts to the operand");
    return target;
  }
};

/// The adjoint of SumTo: repeats along the axes of extent 1.
struct BroadcastTo {
  Shape target;
  Shape result(Shape const& x) const {
    require(broadcast(x, target) == target, "broadcast_to", x, target,
            "an operand that broadcasts to the target");
    return target;
  }
};

struct Reshape {
  Shape target;
  Shape result(Shape const& x) const {
    require(x.count() == target.count(), "reshape", x, target, "the same number of elements");
    return target;
  }
};

/// Joins two tensors along the last axis.
struct Concat {
  Shape result(Shape const& a, Shape const& b) const {
    require(a.rank() > 0 && a.rank() == b.rank() && a.with_channels(b.back()) == b, "concat", a, b,
            "equal but for the last axis");
    require(b.back() <= std::numeric_limits<Index>::max() - a.back(), "concat", a, b,
            "a sum of the last extents that fits 63 bits");
    return a.with_channels(a.back() + b.back());
  }
};

/// Elements [begin, end) of the last axis.
struct Slice {
  Index begin, end;
  Shape result(Shape const& x) const {
    if (x.rank() == 0 || begin < 0 || begin > end || end > x.back())
      fail_shape("slice", x.text() + " [" + number_text(begin) + ", " + number_text(end) + ")",
                 "0 <= begin <= end <= last extent");
    return x.with_channels(end - begin);
  }
};

/// x W + b over the last axis: x (…, k), W (k, n), b (n). On images this is a 1×1 convolution.
struct Linear {
  Shape result(Shape const& x, Shape const& w) const {
    require(x.rank() > 0 && w.rank() == 2 && x.back() == w[0], "linear", x, w,
            "x (..., k) and weight (k, n)");
    return x.with_channels(w[1]);
  }
  Shape result(Shape const& x, Shape const& w, Shape const& b) const {
    require(b == Shape{w.back()}, "linear", w, b, "bias (n) for weight (k, n)");
    return result(x, w);
  }
  double flops(Shape const& x, Shape const& w, auto const&...) const {
    return 2 * static_cast<double>(x.rows()) * static_cast<double>(w.count());
  }
};

/// Cross-correlation with zero padding k/2 and l/2: x (n, h, w, c), W (k, l, c, o) with k and l odd, b (o) or
/// one for each sample, (n, 1, 1, o). With a residual r of the result's shape, scale · (conv + b + r).
struct Conv2d {
  Index stride = 1;
  double scale = 1;
  Shape result(Shape const& x, Shape const& w) const {
    require(stride > 0 && x.rank() == 4 && w.rank() == 4 && w[0] % 2 == 1 && w[1] % 2 == 1 && w[2] == x[3],
            "conv2d", x, w, "x (n, h, w, c) and weight (k, l, c, o), k and l odd, stride 1 or more");
    return {x[0], (x[1] - 1) / stride + 1, (x[2] - 1) / stride + 1, w[3]};
  }
  Shape result(Shape const& x, Shape const& w, Shape const& b) const {
    require(b == Shape{w.back()} || b == Shape{x[0], 1, 1, w.back()}, "conv2d", w, b,
            "bias (o) or (n, 1, 1, o) for weight (k, l, c, o)");
    return result(x, w);
  }
  Shape result(Shape const& x, Shape const& w, Shape const& b, Shape const& r) const {
    auto const shape = result(x, w, b);
    require(r == shape, "conv2d", r, shape, "a residual of the result's shape");
    return shape;
  }
  double flops(Shape const& x, Shape const& w, auto const&...) const {
    return 2 * static_cast<double>(result(x, w).rows()) * static_cast<double>(w.count());
  }
};

/// Nearest-neighbour ×2: (n, h, w, c) → (n, 2h, 2w, c).
struct Upsample {
  Shape result(Shape const& x) const {
    require(x.rank() == 4, "upsample", x, x, "(n, h, w, c)");
    return {x[0], product(2, x[1]), product(2, x[2]), x[3]};
  }
};

/// 2×2 average: (n, 2h, 2w, c) → (n, h, w, c).
struct Downsample {
  Shape result(Shape const& x) const {
    require(x.rank() == 4 && x[1] % 2 == 0 && x[2] % 2 == 0, "downsample", x, x,
            "(n, h, w, c), h and w even");
    return {x[0], x[1] / 2, x[2] / 2, x[3]};
  }
};

/// Each channel of an image by the binomial filter (1, 2, 1) / 4 along both axes, with zeros beyond the
/// borders: (n, h, w, c) → the same shape. It is its own adjoint.
struct Blur {
  Shape result(Shape const& x) const {
    require(x.rank() == 4, "blur", x, x, "(n, h, w, c)");
    return x;
  }
};

/// Bilinear interpolation to another size: edges clamped, no antialias. With centres of pixels at 0.5,
/// PyTorch's `interpolate` with align_corners=False; at 0, TensorFlow 1's `resize_bilinear`. As an adjoint:
/// the transpose of the map that takes images of this size, (n, height, width, c), to those of x's.
struct Resize {
  Index height, width;
  bool adjoint = false;
  double centre = 0.5;
  Shape result(Shape const& x) const {
    auto const target =
        Shape{x.rank() == 4 ? x[0] : 0, std::max<Index>(0, height), std::max<Index>(0, width), x.back()};
    require(x.rank() == 4 && x[1] > 0 && x[2] > 0 && height > 0 && width > 0, "resize", x, target,
            "(n, h, w, c) and a target, h and w 1 or more");
    return target;
  }
};

/// 2×2 maximum: (n, 2h, 2w, c) → (n, h, w, c). With d of x's shape: d's number where x is largest; of equals
/// the first counts.
struct MaxPool {
  Shape result(Shape const& x) const {
    require(x.rank() == 4 && x[1] % 2 == 0 && x[2] % 2 == 0, "max_pool", x, x, "(n, h, w, c), h and w even");
    return {x[0], x[1] / 2, x[2] / 2, x[3]};
  }
  Shape result(Shape const& x, Shape const& d) const {
    require(x == d, "max_pool", x, d, "operands of one shape");
    return result(x);
  }
};

/// The largest number of each sample: (n, …) → (n, 1, …, 1). With d of x's shape: d's number there; of equals
/// the first counts.
struct MaxPerSample {
  Shape result(Shape const& x) const {
    auto const y = x.per_sample();
    require(x.count() > 0 || y.count() == 0, "max_per_sample", x, y, "samples of at least one number");
    return y;
  }
  Shape result(Shape const& x, Shape const& d) const {
    require(x == d, "max_per_sample", x, d, "operands of one shape");
    return result(x);
  }
};

/// Folds p×p pixels into channels: (n, ph, pw, c) → (n, h, w, p·p·c), row by row of the patch.
struct SpaceToDepth {
  Index patch = 2;
  Shape result(Shape const& x) const {
    require(patch > 0 && x.rank() == 4 && x[1] % patch == 0 && x[2] % patch == 0, "space_to_depth", x, x,
            "(n, h, w, c), h and w divisible by the patch");
    return {x[0], x[1] / patch, x[2] / patch, product(product(x[3], patch), patch)};
  }
};

/// The inverse of SpaceToDepth.
struct DepthToSpace {
  Index patch = 2;
  Shape result(Shape const& x) const {
    require(patch > 0 && x.rank() == 4 && x[3] % product(patch, patch) == 0, "depth_to_space", x, x,
            "(n, h, w, c), c divisible by the patch squared");
    return {x[0], product(x[1], patch), product(x[2], patch), x[3] / product(patch, patch)};
  }
};

/// Group normalisation with scale and shift, then optionally SiLU (Wu & He 2018): x (n, h, w, c); scale and
/// shift are (c), or (n, 1, 1, c) where each sample has its own.
struct GroupNorm {
  Index groups = 8;
  double epsilon = 1e-5;
  bool silu = false;
  Shape result(Shape const& x, Shape const& scale, Shape const& shift) const {
    require(x.rank() == 4 && groups > 0 && x[3] % groups == 0, "group_norm", x, scale,
            "(n, h, w, c), c divisible by the groups");
    require(scale == Shape{x[3]} || scale == Shape{x[0], 1, 1, x[3]}, "group_norm", x, scale,
            "scale (c) or (n, 1, 1, c)");
    require(shift == scale, "group_norm", scale, shift, "scale and shift of one shape");
    return x;
  }
};

/// Softmax over the last axis.
struct Softmax {
  Shape result(Shape const& x) const { return x; }
};

/// softmax(q kᵀ / √depth) v per head, of `depth` channels each (Vaswani et al. 2017, eq. 1): q (n, t, c),
/// k and v (n, s, c) → (n, t, c). The (t × s) weights of a head are never in memory at once on the CPU.
struct Attention {
  Index heads = 1;
  double scale(Shape const& q) const {
    auto const depth = q[2] / heads;
    return 1 / std::sqrt(static_cast<double>(depth));
  }
  Shape result(Shape const& q, Shape const& k, Shape const& v) const {
    require(heads > 0 && q.rank() == 3 && k.rank() == 3 && q[0] == k[0] && q[2] == k[2] && q[2] % heads == 0,
            "attention", q, k, "(n, t, c) and (n, s, c), c divisible by the heads");
    require(k == v && k[1] > 0, "attention", k, v, "keys and values of one shape, at least one of each");
    return q;
  }
};

/// scale · q kᵀ per head: q (n, t, c), k (n, s, c) → (n, heads, t, s).
struct AttentionScores {
  Index heads = 1;
  double scale = 1;
  Shape result(Shape const& q, Shape const& k) const {
    require(heads > 0 && q.rank() == 3 && k.rank() == 3 && q[0] == k[0] && q[2] == k[2] && q[2] % heads == 0,
            "attention_scores", q, k, "(n, t, c) and (n, s, c), c divisible by the heads");
    return {q[0], heads, q[1], k[1]};
  }
};

/// scale · p v per head, or scale · pᵀ v: p (n, heads, t, s), v (n, s, c) → (n, t, c).
struct AttentionMix {
  double scale = 1;
  bool transposed = false;
  Shape result(Shape const& p, Shape const& v) const {
    auto const inner = p.rank() == 4 ? p[transposed ? 2 : 3] : 0;
    require(p.rank() == 4 && v.rank() == 3 && p[0] == v[0] && v[1] == inner && p[1] > 0 && v[2] % p[1] == 0,
            "attention_mix", p, v, "(n, heads, t, s) and (n, s, c), c divisible by the heads");
    return {p[0], p[transposed ? 3 : 2], v[2]};
  }
};

}  // namespace consistency::op
