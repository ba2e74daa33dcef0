// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The derivatives of one operation; its value is Kernel<Op, Backend>. A specialisation holds
/// - keeps_inputs: how many of the first inputs the backward pass reads; the rest is freed early;
/// - keeps_output: whether it reads the output;
/// - vjp(op, wanted, y, g, x): gradients of the wanted inputs x from the gradient g of y, on tensors, by
///   operations or by kernel_vjp;
/// - jvp(op, y, x..., dx...): tangent of y from the inputs' tangents, on any value type. An undefined tangent
///   means zero; at least one is defined.
template <class Op>
struct Rule;

inline constexpr std::size_t all_inputs = ~std::size_t{0};

/// The gradients of the wanted inputs x by the backend's kernel.
template <class Op, class T, class... X>
auto kernel_vjp(Op const& op, std::array<bool, sizeof...(X)> const& wanted, T const& y, T const& g,
                X const&... x) {
  static_assert(GradientKernelFor<Op, typename T::Backend, X...>,
                "backward: this backend's kernel of the operation has no vjp as Kernel asks for it; the "
                "reference backend computes values alone");
  return Kernel<Op, typename T::Backend>::vjp(op, wanted, y, g, x...);
}

/// total ← total + term, where an undefined total means zero.
template <Value V>
void add_term(V& total, Operand auto const& term) {
  if (total.defined()) {
    total = V(total + term);
  } else {
    total = V(evaluated(term));
  }
}

}  // namespace consistency
