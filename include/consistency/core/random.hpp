// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#ifndef R123_USE_SSE  // Philox uses none, and the intrinsics are a megabyte to compile
#define R123_USE_SSE 0
#endif
#ifdef __wasm__  // Random123 asks for a processor that it was tried on; Philox is the same on all
#define __riscv
#endif
#include <Random123/philox.h>
#ifdef __wasm__
#undef __riscv
#endif

#include <consistency/core/device.hpp>

namespace consistency {

/// Names one family of random numbers. Draw number b of sample i at step k is a pure function of
/// (seed, stream, k, i, b): no state, and the same for any batch split, thread count or device.
struct Key {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;

  /// An independent family with the same seed.
  constexpr Key with_stream(std::uint32_t other) const { return {seed, other}; }
  friend bool operator==(Key const&, Key const&) = default;
};

/// The library's own streams; a user's may start at 2^31 (dropout takes one per layer).
namespace stream {
inline constexpr std::uint32_t initialization = 0, noise = 1, times = 2, data_order = 3, dropout = 4,
                               sampling = 5, augmentation = 6, conditions = 7, end_times = 8, spans = 9;
}

/// Where in a family a block of draws lies.
struct Counter {
  std::uint32_t step = 0;
  std::uint32_t sample = 0;
};

/// Four uniform 32-bit integers: Philox 4x32-10 (Salmon et al. 2011), block number `block` of (key, counter).
CONSISTENCY_HD inline std::array<std::uint32_t, 4> philox(Key key, Counter at, std::uint32_t block) {
  auto const r = r123::Philox4x32{}(
      {{block, at.sample, at.step, key.stream}},
      {{static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32U)}});
  return {r[0], r[1], r[2], r[3]};
}

/// Uniform on (0, 1), never 0 or 1: the largest integers round to 2^32 in float.
template <class Scalar>
CONSISTENCY_HD Scalar to_uniform(std::uint32_t bits) {
  constexpr auto below_1 = Scalar(1) - std::numeric_limits<Scalar>::epsilon() / 2;
  return std::min(below_1, (static_cast<Scalar>(bits) + Scalar(0.5)) * Scalar(0x1p-32));
}

template <class Scalar>
CONSISTENCY_HD std::array<Scalar, 4> uniform_block(Key key, Counter at, std::uint32_t block) {
  auto const bits = philox(key, at, block);
  return {to_uniform<Scalar>(bits[0]), to_uniform<Scalar>(bits[1]), to_uniform<Scalar>(bits[2]),
          to_uniform<Scalar>(bits[3])};
}

/// Two independent N(0, 1) draws from two uniform ones (Box & Muller 1958), scalars or SIMD packs.
template <class Number>
CONSISTENCY_HD std::array<Number, 2> to_normal(Number u, Number v) {
  using std::cos, std::log, std::sin, std::sqrt;
  auto const radius = sqrt(Number(-2.0) * log(u));
  auto const angle = Number(2 * std::numbers::pi) * v;
  return {radius * cos(angle), radius * sin(angle)};
}
/// Four from four.
template <class Number>
CONSISTENCY_HD std::array<Number, 4> to_normal(std::array<Number, 4> const& u) {
  auto const [p, q] = to_normal(u[0], u[1]);
  auto const [r, s] = to_normal(u[2], u[3]);
  return {p, q, r, s};
}

template <class Scalar>
CONSISTENCY_HD std::array<Scalar, 4> normal_block(Key key, Counter at, std::uint32_t block) {
  return to_normal(uniform_block<Scalar>(key, at, block));
}

}  // namespace consistency
