// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// line(i) for every i of [0, lines), in chunks of about one grain of elements.
inline void for_lines(Index lines, Index elements_per_line, auto const& line) {
  parallel_ranges(lines, std::max<Index>(1, pointwise_grain / std::max<Index>(1, elements_per_line)),
                  [&](Index begin, Index end) {
                    for (auto i = begin; i < end; ++i) line(i);
                  });
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<op::Concat> {
  template <class S>
  static Tensor<S, Cpu> value(op::Concat const& op, Tensor<S, Cpu> const& a, Tensor<S, Cpu> const& b) {
    auto y = Tensor<S, Cpu>{op.result(a.shape(), b.shape())};
    auto const p = a.shape().back();
    auto const q = b.shape().back();
    cpu::for_lines(y.shape().rows(), p + q, [&](Index r) {
      auto* const to = y.mutable_data() + r * (p + q);
      std::copy_n(a.data() + r * p, p, to);
      std::copy_n(b.data() + r * q, q, to + p);
    });
    return y;
  }
};

template <>
struct cpu::Kernel<op::Slice> {
  template <class S>
  static Tensor<S, Cpu> value(op::Slice const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const n = op.end - op.begin;
    cpu::for_lines(x.shape().rows(), n, [&](Index r) {
      std::copy_n(x.data() + r * x.shape().back() + op.begin, n, y.mutable_data() + r * n);
    });
    return y;
  }
};

template <>
struct cpu::Kernel<op::Upsample> {
  template <class S>
  static Tensor<S, Cpu> value(op::Upsample const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const w = x.shape()[2];
    auto const c = x.shape()[3];
    cpu::for_lines(y.shape()[0] * y.shape()[1], 2 * w * c,
                   [&](Index line) {  // 2h lines per image: line/2 is global
                     auto const* const from = x.data() + line / 2 * w * c;
                     auto* const to = y.mutable_data() + line * 2 * w * c;
                     for (Index i = 0; i < 2 * w; ++i) std::copy_n(from + i / 2 * c, c, to + i * c);
                   });
    return y;
  }
};

template <>
struct cpu::Kernel<op::Blur> {
  template <class S>
  static Tensor<S, Cpu> value(op::Blur const& op, Tensor<S, Cpu> const& x) {
    using P = Pack<S>;
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
    cpu::for_lines(x.shape()[0] * h, w * c, [&](Index line) {
      auto const* const middle = x.data() + line * w * c;
      auto const above = line % h > 0, below = line % h + 1 < h;
      // A column of three pixels, (1, 2, 1), and zeros beyond the image.
      auto const column = [&](Index i, Index k, Index n) {
        if (i < 0 || i >= w) return P(0.0);
        auto const at = [&](Index offset) {
          auto const* const p = middle + offset + i * c + k;
          return n == P::width ? P::load(p) : P::load_part(p, n);
        };
        auto const outer = (above ? at(-w * c) : P(0.0)) + (below ? at(w * c) : P(0.0));
        auto const own = at(0);
        return outer + (own + own);
      };
      auto* const to = y.mutable_data() + line * w * c;
      for (Index k = 0; k < c; k += P::width) {
        auto const n = std::min(P::width, c - k);
        auto left = P(0.0), own = column(0, k, n);
        for (Index i = 0; i < w; ++i) {
          auto const right = column(i + 1, k, n);
          cpu::store(((left + right) + (own + own)) * P(1.0 / 16), to + i * c + k, n);
          left = own;
          own = right;
        }
      }
    });
    return y;
  }
};
template <>
struct cpu::Kernel<op::Downsample> {
  template <class S>
  static Tensor<S, Cpu> value(op::Downsample const& op, Tensor<S, Cpu> const& x) {
    using P = Pack<S>;
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const w = y.shape()[2];
    auto const c = y.shape()[3];
    cpu::for_lines(y.shape()[0] * y.shape()[1], w * c, [&](Index line) {
      auto const* const upper = x.data() + line * 4 * w * c;
      auto* const to = y.mutable_data() + line * w * c;
      for (Index i = 0; i < w; ++i) {
        for (Index k = 0; k < c; k += P::width) {
          auto const n = std::min(P::width, c - k);
          auto const at = [&](Index offset) {
            auto const* const p = upper + offset + k;
            return n == P::width ? P::load(p) : P::load_part(p, n);
          };
          auto const left = 2 * i * c;
          auto const below = 2 * w * c;
          cpu::store((at(left) + at(left + c) + (at(left + below) + at(left + below + c))) * P(0.25),
                     to + i * c + k, n);
        }
      }
    });
    return y;
  }
};

template <>
struct cpu::Kernel<op::SpaceToDepth> {
  template <class S>
  static Tensor<S, Cpu> value(op::SpaceToDepth const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const p = op.patch;
    auto const w = y.shape()[2];
    auto const c = p * x.shape()[3];  // one row of a patch is contiguous on both sides
    cpu::for_lines(x.shape()[0] * x.shape()[1], w * c, [&](Index line) {
      for (Index i = 0; i < w; ++i)
        std::copy_n(x.data() + (line * w + i) * c, c,
                    y.mutable_data() + ((line / p * w + i) * p + line % p) * c);
    });
    return y;
  }
};

template <>
struct cpu::Kernel<op::DepthToSpace> {
  template <class S>
  static Tensor<S, Cpu> value(op::DepthToSpace const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape())};
    auto const p = op.patch;
    auto const w = x.shape()[2];
    auto const c = p * y.shape()[3];
    cpu::for_lines(y.shape()[0] * y.shape()[1], w * c, [&](Index line) {
      for (Index i = 0; i < w; ++i)
        std::copy_n(x.data() + ((line / p * w + i) * p + line % p) * c, c,
                    y.mutable_data() + (line * w + i) * c);
    });
    return y;
  }
};

}  // namespace consistency
