#pragma once

#include <string_view>

/// The name of the instruction set that this unit is compiled for. It is the inline namespace of all that is
/// as wide as a register, so that no name of a program stands for two widths.
#if defined(__AVX512F__)
#define CONSISTENCY_INSTRUCTIONS avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define CONSISTENCY_INSTRUCTIONS avx2
#elif defined(__AVX__)
#define CONSISTENCY_INSTRUCTIONS avx
#elif defined(__SSE2__)
#define CONSISTENCY_INSTRUCTIONS sse2
#elif defined(__ARM_NEON)
#define CONSISTENCY_INSTRUCTIONS neon
#else
#define CONSISTENCY_INSTRUCTIONS generic
#endif

#include <consistency/tensor/cpu/link_guard.hpp>

namespace consistency::cpu {

#ifdef CONSISTENCY_COMPILED

/// The instructions that kernels are computed with, as a text. Throws as the first kernel of a program does
/// (tensor/cpu/compiled.hpp).
std::string_view instruction_set();

#else

/// The instructions that kernels are computed with, as a text; of a build that leaves wider ones unused it
/// says so.
inline std::string_view instruction_set() {
#if defined(__AVX512F__)
  return "AVX-512, compiled for";
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2 + FMA, compiled for";
#elif defined(__AVX__)
  return "AVX, compiled for";
#elif defined(__SSE2__)
  if (__builtin_cpu_supports("avx2"))
    return "SSE2, compiled for; -march=native or consistency::compiled would use more";
  return "SSE2, compiled for";
#elif defined(__ARM_NEON)
  return "NEON, compiled for";
#else
  return "what Eigen finds in the compiler's target";
#endif
}

#endif

}  // namespace consistency::cpu
