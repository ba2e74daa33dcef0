// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <type_traits>

#include <consistency/tensor/cpu/group_statistics.hpp>
#include <consistency/tensor/cpu/layout.hpp>
#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

template <>
struct cpu::Kernel<op::GroupNorm> {
  template <class S>
  static Tensor<S, Cpu> value(op::GroupNorm const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& scale,
                              Tensor<S, Cpu> const& shift) {
    auto y = Tensor<S, Cpu>{op.result(x.shape(), scale.shape(), shift.shape())};
    op.silu ? normalize(std::true_type{}, op, x, scale, shift, y)
            : normalize(std::false_type{}, op, x, scale, shift, y);
    return y;
  }

  template <class S>
  static std::array<Tensor<S, Cpu>, 3> vjp(op::GroupNorm const& op, std::array<bool, 3> const& wanted,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& scale,
                                           Tensor<S, Cpu> const& shift) {
    auto dx = Tensor<S, Cpu>{x.shape()};
    auto const samples = x.shape()[0];
    auto const c = x.shape()[3];
    auto sums =
        Tensor<S, Cpu>{Shape{samples, 2 * c}};  // of gu x̂, which is ∂L/∂scale, and gu, which is ∂L/∂shift
    auto const run = [&](auto silu) { differentiate(silu, op, wanted[0], g, x, scale, shift, dx, sums); };
    op.silu ? run(std::true_type{}) : run(std::false_type{});
    auto const fold = [&](Index first) {  // per sample, or summed over the samples
      auto const d = Kernel<op::Slice>::value({first, first + c}, sums);
      return scale.shape().rank() == 4 ? d.reshaped({samples, 1, 1, c})
                                       : Kernel<op::SumTo>::value({Shape{c}}, d);
    };
    return {wanted[0] ? dx : Tensor<S, Cpu>{}, wanted[1] ? fold(0) : Tensor<S, Cpu>{},
            wanted[2] ? fold(c) : Tensor<S, Cpu>{}};
  }

 private:
  template <class S, bool Silu>
  static void normalize(std::bool_constant<Silu>, op::GroupNorm const& op, Tensor<S, Cpu> const& x,
                        Tensor<S, Cpu> const& scale, Tensor<S, Cpu> const& shift, Tensor<S, Cpu>& y) {
    using P = Pack<S>;
    auto const p = cpu::NormPieces{x.shape(), op.groups};
    auto const c = p.channels;
    auto const sample_stride = scale.shape().rank() == 4 ? c : 0;
    p.each_sample([&](Index n) {
      auto const* const from = x.data() + n * p.pixels * c;
      auto* const to = y.mutable_data() + n * p.pixels * c;
      auto line = Tensor<S, Cpu>{Shape{2, c}};  // y = silu(x · factor + offset)
      auto* const factor = line.mutable_data();
      auto* const offset = factor + c;
      cpu::group_statistics(p, op.epsilon, from, offset, factor);
      for (Index k = 0; k < c; ++k) {
        factor[k] *= scale[n * sample_stride + k];
        offset[k] = shift[n * sample_stride + k] - offset[k] * factor[k];
      }
      p.each_piece([&](Index piece) {
        p.each_block<S>([&]<int N>(std::integral_constant<int, N>, auto lanes, Index k) {
          std::array<P, N> a, b;
#pragma GCC unroll 4
          for (int j = 0; j < N; ++j) {
            a[j] = lanes.load(factor + k + j * P::width);
            b[j] = lanes.load(offset + k + j * P::width);
          }
          for (auto i = p.begin(piece); i < p.end(piece); ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < N; ++j) {
              auto const at = i * c + k + j * P::width;
              auto const u = fma(lanes.load(from + at), a[j], b[j]);
              lanes.store(Silu ? u * scalar::sigmoid(u) : u, to + at);
            }
          }
        });
      });
    });
  }

  /// With u = scale · x̂ + shift and gu = ∂L/∂u: dx = (scale · gu − mean(scale · gu) − x̂ · mean(scale · gu ·
  /// x̂)) / σ.
  template <class S, bool Silu>
  static void differentiate(std::bool_constant<Silu>, op::GroupNorm const& op, bool wants_dx,
                            Tensor<S, Cpu> const& g, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& scale,
                            Tensor<S, Cpu> const& shift, Tensor<S, Cpu>& dx, Tensor<S, Cpu>& sums) {
    using P = Pack<S>;
    auto const p = cpu::NormPieces{x.shape(), op.groups};
    auto const c = p.channels;
    auto const sample_stride = scale.shape().rank() == 4 ? c : 0;
    auto const size = static_cast<S>(p.pixels * p.width());
    p.each_sample([&](Index n) {
      auto const* const from = x.data() + n * p.pixels * c;
      auto const* const up = g.data() + n * p.pixels * c;
      auto* const to = dx.mutable_data() + n * p.pixels * c;
      auto* const sum = sums.mutable_data() + n * 2 * c;
      auto line = Tensor<S, Cpu>{Shape{5, c}};
      auto* const mean = line.mutable_data();
      auto* const rate = mean + c;
      cpu::group_statistics(p, op.epsilon, from, mean, rate);
      auto partial = Tensor<S, Cpu>{Shape{p.count, 2 * c}};
      p.each_piece([&](Index piece) {
        auto* const part = partial.mutable_data() + piece * 2 * c;
        p.each_block<S>([&]<int N>(std::integral_constant<int, N>, auto lanes, Index block) {
          for (auto k = block; k < block + N * P::width; k += P::width) {
            auto const m = lanes.load(mean + k);
            auto const r = lanes.load(rate + k);
            auto const a = lanes.load(scale.data() + n * sample_stride + k);
            auto const b = lanes.load(shift.data() + n * sample_stride + k);
            auto along = P(0.0);
            auto total = P(0.0);
            for (auto i = p.begin(piece); i < p.end(piece); ++i) {
              auto const normal = (lanes.load(from + i * c + k) - m) * r;
              auto gu = lanes.load(up + i * c + k);
              if constexpr (Silu) {
                auto const u = fma(normal, a, b);
                auto const s = scalar::sigmoid(u);
                gu = gu * s * fma(u, P(1.0) - s, P(1.0));
              }
              along = fma(gu, normal, along);
              total += gu;
              lanes.store(gu, to + i * c + k);
            }
            lanes.store(along, part + k);
            lanes.store(total, part + c + k);
          }
        });
      });
      cpu::sum_middle(partial.data(), 1, p.count, 2 * c, sum);
      if (!wants_dx) return;
      auto* const factor = rate + c;  // dx = gu · factor − (x − mean) · along − across
      auto* const along = factor + c;
      auto* const across = along + c;
      for (Index first = 0; first < c; first += p.width()) {
        S dot = 0;
        S total = 0;
        for (Index k = first; k < first + p.width(); ++k) {
          dot += scale[n * sample_stride + k] * sum[k];
          total += scale[n * sample_stride + k] * sum[c + k];
        }
        for (Index k = first; k < first + p.width(); ++k) {
          factor[k] = scale[n * sample_stride + k] * rate[k];
          along[k] = rate[k] * rate[k] * dot / size;
          across[k] = rate[k] * total / size;
        }
      }
      p.each_piece([&](Index piece) {
        p.each_block<S>([&]<int N>(std::integral_constant<int, N>, auto lanes, Index block) {
          for (auto k = block; k < block + N * P::width; k += P::width) {
            auto const m = lanes.load(mean + k);
            auto const f = lanes.load(factor + k);
            auto const a = lanes.load(along + k);
            auto const b = lanes.load(across + k);
            for (auto i = p.begin(piece); i < p.end(piece); ++i) {
              auto const kept = fma(lanes.load(from + i * c + k) - m, a, b);
              lanes.store(lanes.load(to + i * c + k) * f - kept, to + i * c + k);
            }
          }
        });
      });
    });
  }
};

}  // namespace consistency
