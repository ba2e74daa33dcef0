// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstring>

#include <Eigen/Core>

#include <consistency/core/shape.hpp>
#include <consistency/tensor/cpu/kernel.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// The widest SIMD register that the compiler targets, as a number: Eigen's packet with operators.
template <class S>
struct Pack {
  using Packet = typename Eigen::internal::packet_traits<S>::type;
  static constexpr Index width = Eigen::internal::unpacket_traits<Packet>::size;

  Packet p;

  Pack() = default;
  explicit Pack(Packet packet) : p{packet} {}
  explicit Pack(double value) : p{Eigen::internal::pset1<Packet>(static_cast<S>(value))} {}
  static Pack splat(S value) { return Pack{Eigen::internal::pset1<Packet>(value)}; }
  static Pack load(S const* from) { return Pack{Eigen::internal::ploadu<Packet>(from)}; }
  void store(S* to) const { Eigen::internal::pstoreu(to, p); }
  /// The first n lanes, 0 ≤ n ≤ width.
  static Pack load(S const* from, Index n) { return n == width ? load(from) : load_part(from, n); }
  void store(S* to, Index n) const { n == width ? store(to) : store_part(to, n); }

  /// The first n < width lanes; the rest is 0. Tails take the same arithmetic as whole registers, so a number
  /// does not depend on where in an array it stands.
  static Pack load_part(S const* from, Index n) {
    std::array<S, static_cast<std::size_t>(width)> lanes{};
    std::memcpy(lanes.data(), from, static_cast<std::size_t>(n) * sizeof(S));
    return load(lanes.data());
  }
  void store_part(S* to, Index n) const {
    std::array<S, static_cast<std::size_t>(width)> lanes;
    store(lanes.data());
    std::memcpy(to, lanes.data(), static_cast<std::size_t>(n) * sizeof(S));
  }

  friend Pack operator+(Pack a, Pack b) { return Pack{Eigen::internal::padd(a.p, b.p)}; }
  friend Pack operator-(Pack a, Pack b) { return Pack{Eigen::internal::psub(a.p, b.p)}; }
  friend Pack operator*(Pack a, Pack b) { return Pack{Eigen::internal::pmul(a.p, b.p)}; }
  friend Pack operator/(Pack a, Pack b) { return Pack{Eigen::internal::pdiv(a.p, b.p)}; }
  // Eigen's pnegate is 0 − a in wide registers, which is +0 where a is 0.
  friend Pack operator-(Pack a) { return Pack{Eigen::internal::pxor(a.p, splat(-S(0)).p)}; }
  Pack& operator+=(Pack b) { return *this = *this + b; }

  friend Pack fma(Pack a, Pack b, Pack c) { return Pack{Eigen::internal::pmadd(a.p, b.p, c.p)}; }
  friend S sum(Pack a) { return Eigen::internal::predux(a.p); }
  friend Pack sqrt(Pack a) {
#ifdef EIGEN_VECTORIZE_SSE
    // Eigen's own is an approximation in most registers, where √4 would not be 2 and √∞ no number.
    constexpr auto bytes = sizeof(Packet);
    if constexpr (sizeof(S) == 4 && bytes == 16) return Pack{_mm_sqrt_ps(a.p)};
    if constexpr (sizeof(S) == 4 && bytes == 32) return Pack{_mm256_sqrt_ps(a.p)};
    if constexpr (sizeof(S) == 4 && bytes == 64) return Pack{_mm512_maskz_sqrt_ps(0xffff, a.p)};
    if constexpr (sizeof(S) == 8 && bytes == 64) return Pack{_mm512_maskz_sqrt_pd(0xff, a.p)};
#endif
    return Pack{Eigen::internal::psqrt(a.p)};
  }
  friend Pack abs(Pack a) { return Pack{Eigen::internal::pabs(a.p)}; }
  friend Pack relu(Pack a) {
    auto const zero = Eigen::internal::pset1<Packet>(S(0));
    return Pack{Eigen::internal::pselect(Eigen::internal::pcmp_lt(a.p, zero), zero, a.p)};  // NaN stays
  }
  /// Lane by lane: a mask of where b is larger than a, or NaN.
  friend Pack exceeded(Pack a, Pack b) {
    using namespace Eigen::internal;
    return Pack{por(pcmp_lt(a.p, b.p), pandnot(ptrue(b.p), pcmp_eq(b.p, b.p)))};
  }
  friend Pack equals(Pack a, Pack b) { return Pack{Eigen::internal::pcmp_eq(a.p, b.p)}; }
  friend Pack select(Pack mask, Pack yes, Pack no) {
    return Pack{Eigen::internal::pselect(mask.p, yes.p, no.p)};
  }
  friend Pack maximum(Pack a, Pack b) { return select(exceeded(a, b), b, a); }
  friend Pack exp(Pack a) { return Pack{Eigen::internal::pexp(a.p)}; }
  friend Pack log(Pack a) { return Pack{Eigen::internal::plog(a.p)}; }
  friend Pack sign(Pack a) {
    auto const zero = Eigen::internal::pset1<Packet>(S(0));
    auto const one = Eigen::internal::pset1<Packet>(S(1));
    auto const positive = Eigen::internal::pand(Eigen::internal::pcmp_lt(zero, a.p), one);
    auto const negative = Eigen::internal::pand(Eigen::internal::pcmp_lt(a.p, zero), one);
    return Pack{Eigen::internal::psub(positive, negative)};
  }
  // Eigen 3.4 vectorises these for float alone.
  friend Pack sin(Pack a) {
    if constexpr (sizeof(S) == 4) return Pack{Eigen::internal::psin(a.p)};
    return lanewise(a, [](S x) { return std::sin(x); });
  }
  friend Pack cos(Pack a) {
    if constexpr (sizeof(S) == 4) return Pack{Eigen::internal::pcos(a.p)};
    return lanewise(a, [](S x) { return std::cos(x); });
  }
  friend Pack tanh(Pack a) {
    if constexpr (sizeof(S) == 4) return Pack{Eigen::internal::ptanh(a.p)};
    return lanewise(a, [](S x) { return std::tanh(x); });
  }
  friend Pack erfc(Pack a) {
    return lanewise(a, [](S x) { return std::erfc(x); });
  }

 private:
  template <class F>
  static Pack lanewise(Pack a, F f) {
    std::array<S, static_cast<std::size_t>(width)> lanes;
    a.store(lanes.data());
    for (auto& x : lanes) x = f(x);
    return load(lanes.data());
  }
};

/// How the packs of one stretch of an array are read and written: whole, or the first `count` lanes. As a
/// type, so that loops over whole packs ask nothing.
template <class S>
struct AllLanes {
  static Pack<S> load(S const* from) { return Pack<S>::load(from); }
  static void store(Pack<S> const& value, S* to) { value.store(to); }
};
template <class S>
struct SomeLanes {
  Index count;
  Pack<S> load(S const* from) const { return Pack<S>::load_part(from, count); }
  void store(Pack<S> const& value, S* to) const { value.store_part(to, count); }
};

/// run(lanes, c) for every pack of `count` numbers in a row; the last one may be part of a pack.
template <class S, class Run>
[[gnu::always_inline]] inline void for_packs(Index count, Run const& run) {
  Index c = 0;
  for (; c + Pack<S>::width <= count; c += Pack<S>::width) run(AllLanes<S>{}, c);
  if (c < count) run(SomeLanes<S>{count - c}, c);
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu

namespace consistency {
using cpu::Pack;
}
