// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cpu/instruction_set.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// What Kernel<Op, Cpu> is, computed with the instructions that this unit is compiled for.
template <class Op>
struct Kernel;

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
