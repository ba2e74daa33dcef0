// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// k(s), how alike two samples are that are s apart, element by element. Models: LaplaceKernel, EnergyKernel.
template <class K>
concept DistanceKernel = requires(K const& kernel, Tensor<float> const& s) {
  { kernel(s) } -> Operand;
};

/// exp(−s), which Inductive Moment Matching takes: all moments count (Zhou, Ermon & Song 2025).
struct LaplaceKernel {
  auto operator()(Operand auto const& s) const { return exp(-1.0 * s); }
};
static_assert(DistanceKernel<LaplaceKernel>);

/// −s: the discrepancy is the energy distance (Székely & Rizzo 2013), and that of groups of one sample twice
/// their distance.
struct EnergyKernel {
  auto operator()(Operand auto const& s) const { return -1.0 * s; }
};
static_assert(DistanceKernel<EnergyKernel>);

}  // namespace consistency
