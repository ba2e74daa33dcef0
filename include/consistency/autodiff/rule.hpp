// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The derivatives of one operation; its value is Kernel<Op, Backend>. A specialisation holds
/// - keeps_inputs: how many of the first inputs the backward pass reads; the rest is freed early;
/// - keeps_output: whether it reads the output;
/// - vjp(op, wanted, y, g, x): gradients of the wanted inputs x from the gradient g of y, on tensors;
/// - jvp(op, y, x..., dx...): tangent of y from the inputs' tangents, on any value type. An undefined tangent
///   means zero; at least one is defined.
template <class Op>
struct Rule;

inline constexpr std::size_t all_inputs = ~std::size_t{0};

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
