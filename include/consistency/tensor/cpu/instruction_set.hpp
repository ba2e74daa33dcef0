// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

/// Whether matrix products choose their instructions when a program runs: in builds for any x86-64. Those
/// for processors with fused multiply-adds have them already.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__FMA__)
#define CONSISTENCY_CHOOSES_AVX2 1
#else
#define CONSISTENCY_CHOOSES_AVX2 0
#endif

namespace consistency::cpu {

/// The versions of a register block: for what the compiler targets, and for more than that.
enum class Version { compiled_for, avx2 };

/// What this processor runs best; the same in every call.
inline Version chosen_version() {
#if CONSISTENCY_CHOOSES_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Version::avx2;
#endif
  return Version::compiled_for;
}

/// The instructions that matrix products are computed with, as a text.
inline std::string_view instruction_set() {
  if (chosen_version() == Version::avx2) return "AVX2 + FMA, chosen at run time";
#if defined(__AVX512F__)
  return "AVX-512, compiled for";
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2 + FMA, compiled for";
#elif defined(__AVX__)
  return "AVX, compiled for";
#elif defined(__SSE2__)
  return "SSE2, compiled for";
#elif defined(__ARM_NEON)
  return "NEON, compiled for";
#else
  return "what Eigen finds in the compiler's target";
#endif
}

}  // namespace consistency::cpu
