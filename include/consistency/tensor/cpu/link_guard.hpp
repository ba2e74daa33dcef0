// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/version.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>

// Objects of one program whose kernels are not the same, without the same -march or of the same choice of
// consistency::compiled, do not link: "multiple definition of", and then the name below. Each object holds
// that symbol, in a group named by how its kernels are made; of a group a linker takes one, and so does the
// assembler where -flto makes one text of several objects.
#define CONSISTENCY_DETAIL_TEXT_OF(text) #text
#define CONSISTENCY_DETAIL_TEXT(text) CONSISTENCY_DETAIL_TEXT_OF(text)
#define CONSISTENCY_DETAIL_VERSION                                                    \
  CONSISTENCY_DETAIL_TEXT(CONSISTENCY_VERSION_MAJOR)                                  \
  "_" CONSISTENCY_DETAIL_TEXT(CONSISTENCY_VERSION_MINOR) "_" CONSISTENCY_DETAIL_TEXT( \
      CONSISTENCY_VERSION_PATCH)

#ifdef CONSISTENCY_COMPILED
#define CONSISTENCY_DETAIL_KERNELS "consistency_compiled_" CONSISTENCY_DETAIL_VERSION
#else
#define CONSISTENCY_DETAIL_KERNELS \
  "consistency_headers_" CONSISTENCY_DETAIL_VERSION "_for_" CONSISTENCY_DETAIL_TEXT(CONSISTENCY_INSTRUCTIONS)
#endif
#define CONSISTENCY_DETAIL_RULE \
  "consistency_compile_all_objects_of_a_program_with_one_march_or_link_all_to_consistency_compiled"

// Not in the units of consistency::compiled, which show nothing of their kernels.
#if defined(__ELF__) && defined(__GNUC__) && !defined(CONSISTENCY_CORE)
__asm__(".ifndef .L" CONSISTENCY_DETAIL_KERNELS "\n.L" CONSISTENCY_DETAIL_KERNELS
        " = 1\n"
        ".pushsection .rodata.consistency,\"aG\",%progbits," CONSISTENCY_DETAIL_KERNELS
        ",comdat\n"
        ".globl " CONSISTENCY_DETAIL_RULE "\n.hidden " CONSISTENCY_DETAIL_RULE "\n" CONSISTENCY_DETAIL_RULE
        ":\n.byte 0\n.popsection\n.endif\n");
#endif

#undef CONSISTENCY_DETAIL_RULE
#undef CONSISTENCY_DETAIL_KERNELS
