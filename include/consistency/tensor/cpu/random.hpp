#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

namespace cpu {

/// One row of draws per sample: sample i of the tensor is counter sample first + i.
template <class S>
Tensor<S, Cpu> draws(Shape shape, Key key, Counter first, auto const& block) {
  auto y = Tensor<S, Cpu>{shape};
  if (shape.count() == 0) return y;
  auto const samples = shape.rank() == 0 ? 1 : shape[0];
  auto const per_sample = shape.count() / samples;
  parallel_for(samples, [&](Index i) {
    auto* const to = y.mutable_data() + i * per_sample;
    auto const at = Counter{first.step, first.sample + static_cast<std::uint32_t>(i)};
    for (Index j = 0; j < per_sample; j += 4) {
      auto const four = block(key, at, static_cast<std::uint32_t>(j / 4));
      std::copy_n(four.begin(), std::min<Index>(4, per_sample - j), to + j);
    }
  });
  return y;
}

}  // namespace cpu

/// N(0, 1) draws; axis 0 counts samples, so a batch may be split anywhere without changing a number.
template <class S>
Tensor<S, Cpu> normal(Shape shape, Key key, Counter first = {}) {
  return cpu::draws<S>(shape, key, first,
                       [](Key k, Counter at, std::uint32_t b) { return normal_block<S>(k, at, b); });
}

/// Uniform draws on (0, 1).
template <class S>
Tensor<S, Cpu> uniform(Shape shape, Key key, Counter first = {}) {
  return cpu::draws<S>(shape, key, first,
                       [](Key k, Counter at, std::uint32_t b) { return uniform_block<S>(k, at, b); });
}

/// 0 with probability `rate`, else 1 / (1 − rate).
template <class S>
Tensor<S, Cpu> dropout_mask(Shape shape, double rate, Key key, Counter first = {}) {
  auto const threshold = static_cast<S>(rate);
  auto const kept = static_cast<S>(1 / (1 - rate));
  return cpu::draws<S>(shape, key, first, [&](Key k, Counter at, std::uint32_t b) {
    auto mask = uniform_block<S>(k, at, b);
    for (auto& u : mask) u = u < threshold ? S(0) : kept;
    return mask;
  });
}

}  // namespace consistency
