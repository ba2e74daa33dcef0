// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

/// The instruction set that this unit is compiled for. Its name is the inline namespace of all that is as
/// wide as a register, so that no name of a program stands for two widths.
#if defined(__AVX512F__)
#define CONSISTENCY_INSTRUCTIONS avx512
#define CONSISTENCY_INSTRUCTIONS_TEXT "AVX-512"
#elif defined(__AVX2__) && defined(__FMA__)
#define CONSISTENCY_INSTRUCTIONS avx2
#define CONSISTENCY_INSTRUCTIONS_TEXT "AVX2 + FMA"
#elif defined(__AVX__)
#define CONSISTENCY_INSTRUCTIONS avx
#define CONSISTENCY_INSTRUCTIONS_TEXT "AVX"
#elif defined(__SSE2__) && defined(__wasm_simd128__)
#define CONSISTENCY_INSTRUCTIONS simd128
#define CONSISTENCY_INSTRUCTIONS_TEXT "WebAssembly SIMD"
#elif defined(__SSE2__)
#define CONSISTENCY_INSTRUCTIONS sse2
#define CONSISTENCY_INSTRUCTIONS_TEXT "SSE2"
#elif defined(__ARM_NEON)
#define CONSISTENCY_INSTRUCTIONS neon
#define CONSISTENCY_INSTRUCTIONS_TEXT "NEON"
#else
#define CONSISTENCY_INSTRUCTIONS other
#define CONSISTENCY_INSTRUCTIONS_TEXT "OTHER, what Eigen finds in the compiler's target"
#endif

namespace consistency::cpu {

/// The instructions that kernels are computed with, as a text.
#ifdef CONSISTENCY_COMPILED
std::string_view instruction_set();  ///< throws as the first kernel of a program does
#else
inline std::string_view instruction_set() {
#if defined(__SSE2__) && !defined(__AVX__) && !defined(__wasm__)
  if (__builtin_cpu_supports("avx"))
    return CONSISTENCY_INSTRUCTIONS_TEXT
        ", compiled for; this processor has wider ones, for -march=native or consistency::compiled";
#endif
  return CONSISTENCY_INSTRUCTIONS_TEXT ", compiled for";
}
#endif

}  // namespace consistency::cpu
