// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/layout.hpp>

namespace consistency {

template <>
struct cpu::Kernel<op::MaxPool> {
  template <class S>
  static Tensor<S, Cpu> value(op::MaxPool const& op, Tensor<S, Cpu> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Cpu> value(op::MaxPool const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& d) {
    auto y = Tensor<S, Cpu>{op.result(x.shape(), d.shape())};
    auto* const to = y.mutable_data();
    windows(x, [&](auto lanes, Index at, std::array<Index, 4> const& from, Pack<S> place) {
      auto best = lanes.load(d.data() + from[0]);
      for (std::size_t k = 1; k < 4; ++k)
        best = select(equals(place, Pack<S>(static_cast<double>(k))), lanes.load(d.data() + from[k]), best);
      lanes.store(best, to + at);
    });
    return y;
  }

  /// The gradient g at the place of each maximum, 0 elsewhere.
  template <class S>
  static std::array<Tensor<S, Cpu>, 1> vjp(op::MaxPool const&, std::array<bool, 1> const&,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x) {
    auto result = Tensor<S, Cpu>{x.shape()};
    auto* const to = result.mutable_data();
    windows(x, [&](auto lanes, Index at, std::array<Index, 4> const& from, Pack<S> place) {
      auto const gradient = lanes.load(g.data() + at);
      for (std::size_t k = 0; k < 4; ++k)
        lanes.store(select(equals(place, Pack<S>(static_cast<double>(k))), gradient, Pack<S>(0.0)),
                    to + from[k]);
    });
    return {result};
  }

 private:
  /// visit(lanes, where in y, where its four numbers are in x, which of these is largest) for all of y.
  template <class S>
  static void windows(Tensor<S, Cpu> const& x, auto const& visit) {
    auto const h = x.shape()[1] / 2;
    auto const w = x.shape()[2] / 2;
    auto const c = x.shape()[3];
    cpu::for_lines(x.shape()[0] * h, 4 * w * c, [&](Index line) {
      for (Index i = 0; i < w; ++i)
        for_packs<S>(c, [&](auto lanes, Index k) {
          auto const upper = (4 * line * w + 2 * i) * c + k;
          auto const lower = upper + 2 * w * c;
          auto const from = std::array{upper, upper + c, lower, lower + c};
          auto largest = lanes.load(x.data() + from[0]);
          auto place = Pack<S>(0.0);
          for (std::size_t j = 1; j < 4; ++j) {
            auto const candidate = lanes.load(x.data() + from[j]);
            auto const mask = exceeded(largest, candidate);
            largest = select(mask, candidate, largest);
            place = select(mask, Pack<S>(static_cast<double>(j)), place);
          }
          visit(lanes, (line * w + i) * c + k, from, place);
        });
    });
  }
};

template <>
struct cpu::Kernel<op::MaxPerSample> {
  template <class S>
  static Tensor<S, Cpu> value(op::MaxPerSample const& op, Tensor<S, Cpu> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Cpu> value(op::MaxPerSample const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& d) {
    auto y = Tensor<S, Cpu>{op.result(x.shape(), d.shape())};
    auto* const to = y.mutable_data();
    samples(x, y.count(), [&](Index n, Index largest) { to[n] = d[largest]; });
    return y;
  }

  /// The gradient g at the place of each maximum, 0 elsewhere.
  template <class S>
  static std::array<Tensor<S, Cpu>, 1> vjp(op::MaxPerSample const&, std::array<bool, 1> const&,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x) {
    auto result = Tensor<S, Cpu>{x.shape(), S(0)};
    auto* const to = result.mutable_data();
    samples(x, g.count(), [&](Index n, Index largest) { to[largest] = g[n]; });
    return {result};
  }

 private:
  /// visit(n, where in x the first largest number of sample n is)
  template <class S>
  static void samples(Tensor<S, Cpu> const& x, Index count, auto const& visit) {
    auto const size = count == 0 ? 0 : x.count() / count;
    cpu::for_lines(count, size, [&](Index n) {
      auto largest = n * size;
      for (auto i = largest + 1; i < (n + 1) * size; ++i)
        if (x[largest] < x[i] || x[i] != x[i]) largest = i;
      visit(n, largest);
    });
  }
};

}  // namespace consistency
