// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/tensor/functions.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

/// What a method draws for a batch x0 (n, …) at step k.
template <class X, std::size_t Times>
struct Draws {
  std::array<X, Times> times;  ///< (n, 1, …, 1) each
  X z;                         ///< N(0, I), of x0's shape
  Mode mode;                   ///< of training, with the dropout masks of student and target

  Draws clone() const {
    auto copy = *this;
    for (auto& t : copy.times) t = t.clone();
    copy.z = z.clone();
    return copy;
  }
  /// Overwrites these numbers by others of the same shapes.
  void assign(Draws const& from) {
    for (std::size_t j = 0; j < Times; ++j) times[j].assign(from.times[j]);
    z.assign(from.z);
    mode = from.mode;
  }
};

/// Noise and times for x0 (n, …); draw(key, at) gives the times of one sample. Everything is keyed by (key,
/// k) and counted by sample: sample i of the batch is sample first + i of the step. Throws config_error for a
/// step or sample that 32 bits do not count.
template <std::size_t Times, class X>
Draws<X, Times> draw_for(X const& x0, Index k, Key key, std::uint32_t first, auto const& draw) {
  using S = typename X::Scalar;
  auto const at =
      Counter{counted("Method", "step k", k), counted("Method", "samples of a step", first, x0.shape()[0])};
  Draws<X, Times> drawn{{},
                        normal<X>(x0.shape(), key.with_stream(stream::noise), at),
                        {.training = true, .key = key, .first = at}};
  std::array<Tensor<S>, Times> times;  // (n, 1, …) each: few numbers, drawn on the host
  for (auto& t : times) t = Tensor<S>{x0.shape().per_sample()};
  for (Index i = 0; i < x0.shape()[0]; ++i) {
    std::array<double, Times> const numbers =
        draw(key.with_stream(stream::times), Counter{at.step, at.sample + static_cast<std::uint32_t>(i)});
    for (std::size_t j = 0; j < Times; ++j) times[j].mutable_data()[i] = static_cast<S>(numbers[j]);
  }
  for (std::size_t j = 0; j < Times; ++j) drawn.times[j] = to<typename X::Backend>(times[j]);
  return drawn;
}

/// Noise, and a time of each sample by a method's distribution of times on the process of its f.
template <class X>
Draws<X, 1> draw_time(auto const& method, X const& x0, Index k, Key key, std::uint32_t first) {
  return draw_for<1>(x0, k, key, first, [&](Key sample_key, Counter sample) {
    return std::array{method.distribution.time(process_of(method.f), sample_key, sample)};
  });
}

}  // namespace consistency
