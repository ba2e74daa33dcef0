// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/version.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>

// Objects of one program whose kernels are not the same, without the same -march or of the same choice of
// consistency::compiled, do not link: "multiple definition of", and then the name below. Each object holds
// that symbol, in the group of a variable named by how its kernels are made; of a group a linker takes one.
#define CONSISTENCY_DETAIL_TEXT_OF(text) #text
#define CONSISTENCY_DETAIL_TEXT(text) CONSISTENCY_DETAIL_TEXT_OF(text)
#define CONSISTENCY_DETAIL_VERSION                                                    \
  CONSISTENCY_DETAIL_TEXT(CONSISTENCY_VERSION_MAJOR)                                  \
  "_" CONSISTENCY_DETAIL_TEXT(CONSISTENCY_VERSION_MINOR) "_" CONSISTENCY_DETAIL_TEXT( \
      CONSISTENCY_VERSION_PATCH)

// Not in the units of consistency::compiled, which show nothing of their kernels.
#if defined(__ELF__) && defined(__GNUC__) && !defined(CONSISTENCY_CORE)
#define CONSISTENCY_DETAIL_JOINED_OF(a, b, c, d, e) a##b##_##c##_##d##_##e
#define CONSISTENCY_DETAIL_JOINED(...) CONSISTENCY_DETAIL_JOINED_OF(__VA_ARGS__)
#ifdef CONSISTENCY_COMPILED
#define CONSISTENCY_DETAIL_KERNELS consistency_, compiled
#else
#define CONSISTENCY_DETAIL_KERNELS consistency_headers_for_, CONSISTENCY_INSTRUCTIONS
#endif
#define CONSISTENCY_DETAIL_GROUP                                                   \
  CONSISTENCY_DETAIL_JOINED(CONSISTENCY_DETAIL_KERNELS, CONSISTENCY_VERSION_MAJOR, \
                            CONSISTENCY_VERSION_MINOR, CONSISTENCY_VERSION_PATCH)
extern "C" {
[[gnu::used, gnu::visibility("hidden")]] inline char const CONSISTENCY_DETAIL_GROUP = 0;
[[gnu::visibility("hidden"), gnu::alias(CONSISTENCY_DETAIL_TEXT(CONSISTENCY_DETAIL_GROUP))]] extern char const
    consistency_compile_all_objects_of_a_program_with_one_march_or_link_all_to_consistency_compiled;
}
#undef CONSISTENCY_DETAIL_GROUP
#undef CONSISTENCY_DETAIL_KERNELS
#undef CONSISTENCY_DETAIL_JOINED
#undef CONSISTENCY_DETAIL_JOINED_OF
#endif
