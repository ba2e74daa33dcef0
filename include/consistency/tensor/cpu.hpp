// SPDX-License-Identifier: MIT
#pragma once

/// The CPU backend: every kernel, computed by these headers as wide as the compiler may make them, or by
/// consistency::compiled, which chooses when the program runs.
#ifdef CONSISTENCY_COMPILED
#include <consistency/tensor/compiled.hpp>
#else
#include <consistency/tensor/cpu/kernels.hpp>
#endif
#include <consistency/tensor/functions.hpp>

namespace consistency {

#ifdef CONSISTENCY_COMPILED
namespace kernels = cpu::compiled;
#else
namespace kernels = cpu;
#endif

template <class Op>
struct Kernel<Op, Cpu> : kernels::Kernel<Op> {};
using kernels::accumulate_into;
using kernels::largest;
using kernels::moment_update;

}  // namespace consistency
