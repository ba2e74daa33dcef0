// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>

#include <consistency/core/shape.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>

#if CONSISTENCY_CHOOSES_AVX2

#ifndef __clang__
// GCC declares the built-in functions of an instruction set where it first meets it.
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#pragma GCC pop_options
// Everything here is inlined; nothing passes a vector by a calling convention.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace consistency {

/// 32 bytes of numbers, and a · b + c of them by GCC's function; Clang fuses the expression itself.
template <class S>
struct Avx2Vector;
template <>
struct Avx2Vector<float> {
  using Type [[gnu::vector_size(32)]] = float;
#ifndef __clang__
  [[gnu::always_inline]] static void fma(Type const& a, Type const& b, Type const& c, Type& result) {
    result = __builtin_ia32_vfmaddps256(a, b, c);
  }
#endif
};
template <>
struct Avx2Vector<double> {
  using Type [[gnu::vector_size(32)]] = double;
#ifndef __clang__
  [[gnu::always_inline]] static void fma(Type const& a, Type const& b, Type const& c, Type& result) {
    result = __builtin_ia32_vfmaddpd256(a, b, c);
  }
#endif
};

/// A register of AVX2, as Pack, where the compiler targets less: only for what is inlined into functions
/// with [[gnu::target("avx2,fma")]]. A vector of the language, since Eigen has its packet only where the
/// compiler targets AVX.
template <class S>
struct Avx2Pack {
  using Vector = typename Avx2Vector<S>::Type;
  static constexpr Index width = 32 / static_cast<Index>(sizeof(S));

  Vector p;

  Avx2Pack() = default;
  [[gnu::always_inline]] explicit Avx2Pack(double value) : p{static_cast<S>(value) - Vector{}} {}
  [[gnu::always_inline]] static Avx2Pack splat(S value) {
    Avx2Pack pack;
    pack.p = value - Vector{};
    return pack;
  }
  [[gnu::always_inline]] static Avx2Pack load(S const* from) {
    Avx2Pack pack;
    std::memcpy(&pack.p, from, sizeof(Vector));
    return pack;
  }
  [[gnu::always_inline]] void store(S* to) const { std::memcpy(to, &p, sizeof(Vector)); }

  [[gnu::always_inline]] Avx2Pack& operator+=(Avx2Pack const& b) {
    p += b.p;
    return *this;
  }
  [[gnu::always_inline]] friend Avx2Pack fma(Avx2Pack const& a, Avx2Pack const& b, Avx2Pack const& c) {
#ifdef __clang__
#pragma clang fp contract(fast)
    Avx2Pack result;
    result.p = a.p * b.p + c.p;
#else
    Avx2Pack result;
    Avx2Vector<S>::fma(a.p, b.p, c.p, result.p);
#endif
    return result;
  }
};

}  // namespace consistency

#ifndef __clang__
#pragma GCC diagnostic pop
#endif

#endif
