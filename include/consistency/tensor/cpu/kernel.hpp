// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cpu/link_guard.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// What Kernel<Op, Cpu> is, computed with the instructions that this unit is compiled for.
template <class Op>
struct Kernel;

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
