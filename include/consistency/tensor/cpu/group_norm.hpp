#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/pack.hpp>
#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency {

/// One sample at a time, so that its pixels stay in cache over the passes: sums per channel, then per group.
template <>
struct Kernel<op::GroupNorm, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::GroupNorm const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& scale,
                              Tensor<S, Cpu> const& shift) {
    using P = Pack<S>;
    auto y = Tensor<S, Cpu>{op.result(x.shape(), scale.shape(), shift.shape())};
    auto const c = x.shape()[3];
    auto const pixels = x.shape()[1] * x.shape()[2];
    auto const own = scale.shape().rank() == 4 ? c : 0;
    parallel_for(x.shape()[0], [&](Index n) {
      auto const* const from = x.data() + n * pixels * c;
      auto* const to = y.mutable_data() + n * pixels * c;
      auto work = Tensor<S, Cpu>{Shape{2, c}};  // y = silu(x · factor + offset)
      auto* const factor = work.mutable_data();
      auto* const offset = factor + c;
      statistics(op, from, pixels, c, offset, factor);
      for (Index k = 0; k < c; ++k) {
        factor[k] *= scale[n * own + k];
        offset[k] = shift[n * own + k] - offset[k] * factor[k];
      }
      for (Index k = 0; k < c; k += P::width) {
        auto const lanes = std::min(P::width, c - k);
        auto const a = part(factor + k, lanes);
        auto const b = part(offset + k, lanes);
        for (Index i = k; i < pixels * c; i += c) {
          auto const u = fma(part(from + i, lanes), a, b);
          cpu::store(op.silu ? u * scalar::sigmoid(u) : u, to + i, lanes);
        }
      }
    });
    return y;
  }

  template <class S>
  static std::array<Tensor<S, Cpu>, 3> vjp(op::GroupNorm const& op, std::array<bool, 3> const& wanted,
                                           Tensor<S, Cpu> const& g, Tensor<S, Cpu> const& x,
                                           Tensor<S, Cpu> const& scale, Tensor<S, Cpu> const& shift) {
    using P = Pack<S>;
    auto const samples = x.shape()[0];
    auto const c = x.shape()[3];
    auto const pixels = x.shape()[1] * x.shape()[2];
    auto const own = scale.shape().rank() == 4 ? c : 0;
    auto dx = Tensor<S, Cpu>{x.shape()};
    auto dscale = Tensor<S, Cpu>{Shape{samples, 1, 1, c}};
    auto dshift = Tensor<S, Cpu>{Shape{samples, 1, 1, c}};
    parallel_for(samples, [&](Index n) {
      auto const* const from = x.data() + n * pixels * c;
      auto const* const up = g.data() + n * pixels * c;
      auto* const to = dx.mutable_data() + n * pixels * c;
      auto* const da = dscale.mutable_data() + n * c;
      auto* const db = dshift.mutable_data() + n * c;
      auto work = Tensor<S, Cpu>{Shape{4, c}};
      auto* const mean = work.mutable_data();
      auto* const rate = mean + c;   // 1 / standard deviation
      auto* const along = rate + c;  // dx = a · rate · gu − along · x̂ − across
      auto* const across = along + c;
      statistics(op, from, pixels, c, mean, rate);
      for (Index k = 0; k < c; k += P::width) {  // gu = ∂L/∂(scale · x̂ + shift), kept in dx
        auto const lanes = std::min(P::width, c - k);
        auto const m = part(mean + k, lanes);
        auto const r = part(rate + k, lanes);
        auto const a = part(scale.data() + n * own + k, lanes);
        auto const b = part(shift.data() + n * own + k, lanes);
        auto sum_a = P(0.0);
        auto sum_b = P(0.0);
        for (Index i = k; i < pixels * c; i += c) {
          auto const normal = (part(from + i, lanes) - m) * r;
          auto gu = part(up + i, lanes);
          if (op.silu) {
            auto const u = fma(normal, a, b);
            auto const s = scalar::sigmoid(u);
            gu = gu * s * fma(u, P(1.0) - s, P(1.0));
          }
          sum_a = fma(gu, normal, sum_a);
          sum_b += gu;
          cpu::store(gu, to + i, lanes);
        }
        cpu::store(sum_a, da + k, lanes);
        cpu::store(sum_b, db + k, lanes);
      }
      if (!wanted[0]) return;
      auto const width = c / op.groups;
      auto const size = static_cast<S>(pixels * width);
      for (Index first = 0; first < c; first += width) {
        S dot = 0;
        S total = 0;
        for (Index k = first; k < first + width; ++k) {
          dot += scale[n * own + k] * da[k];
          total += scale[n * own + k] * db[k];
        }
        for (Index k = first; k < first + width; ++k) {
          along[k] = rate[k] * dot / size;
          across[k] = rate[k] * total / size;
        }
      }
      for (Index k = 0; k < c; k += P::width) {
        auto const lanes = std::min(P::width, c - k);
        auto const m = part(mean + k, lanes);
        auto const r = part(rate + k, lanes);
        auto const a = part(scale.data() + n * own + k, lanes) * r;
        auto const p = part(along + k, lanes);
        auto const q = part(across + k, lanes);
        for (Index i = k; i < pixels * c; i += c)
          cpu::store(a * part(to + i, lanes) - p * ((part(from + i, lanes) - m) * r) - q, to + i, lanes);
      }
    });
    auto const fold = [&](Tensor<S, Cpu> const& per_sample) {
      return own ? per_sample : apply(op::SumTo{Shape{c}}, per_sample);
    };
    return {wanted[0] ? dx : Tensor<S, Cpu>{}, wanted[1] ? fold(dscale) : Tensor<S, Cpu>{},
            wanted[2] ? fold(dshift) : Tensor<S, Cpu>{}};
  }

 private:
  template <class S>
  static Pack<S> part(S const* from, Index lanes) {
    return lanes == Pack<S>::width ? Pack<S>::load(from) : Pack<S>::load_part(from, lanes);
  }

  /// Mean and 1/√(variance + ε) of each group, written once per channel; two passes.
  template <class S>
  static void statistics(op::GroupNorm const& op, S const* x, Index pixels, Index c, S* mean, S* rate) {
    using P = Pack<S>;
    auto const width = c / op.groups;
    auto const size = static_cast<S>(pixels * width);
    auto const per_group = [&](S* values, auto const& finish) {
      for (Index first = 0; first < c; first += width) {
        S total = 0;
        for (Index k = first; k < first + width; ++k) total += values[k];
        std::fill_n(values + first, width, finish(total / size));
      }
    };
    for (Index k = 0; k < c; k += P::width) {
      auto const lanes = std::min(P::width, c - k);
      auto total = P(0.0);
      for (Index i = k; i < pixels * c; i += c) total += part(x + i, lanes);
      cpu::store(total, mean + k, lanes);
    }
    per_group(mean, [](S v) { return v; });
    for (Index k = 0; k < c; k += P::width) {
      auto const lanes = std::min(P::width, c - k);
      auto const m = part(mean + k, lanes);
      auto total = P(0.0);
      for (Index i = k; i < pixels * c; i += c) {
        auto const d = part(x + i, lanes) - m;
        total = fma(d, d, total);
      }
      cpu::store(total, rate + k, lanes);
    }
    per_group(rate, [&](S v) { return S(1) / std::sqrt(v + static_cast<S>(op.epsilon)); });
  }
};

}  // namespace consistency
