#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace cpu {

template <class Law>
struct Draws {
  template <class S>
  static void fill(Law const& law, Tensor<S, Cpu>& y, Key key, Counter first) {
    if (y.count() == 0) return;
    auto const samples = y.shape().rank() == 0 ? 1 : y.shape()[0];
    auto const per_sample = y.count() / samples;
    auto* const out = y.mutable_data();
    parallel_for(samples, [&](Index i) {
      auto* const to = out + i * per_sample;
      auto const at = Counter{first.step, first.sample + static_cast<std::uint32_t>(i)};
      for (Index j = 0; j < per_sample; j += 4) {
        auto const four = law.template block<S>(key, at, static_cast<std::uint32_t>(j / 4));
        std::copy_n(four.begin(), std::min<Index>(4, per_sample - j), to + j);
      }
    });
  }
};

}  // namespace cpu

template <>
struct Kernel<law::Normal, Cpu> : cpu::Draws<law::Normal> {};
template <>
struct Kernel<law::Uniform, Cpu> : cpu::Draws<law::Uniform> {};
template <>
struct Kernel<law::DropoutMask, Cpu> : cpu::Draws<law::DropoutMask> {};

}  // namespace consistency
