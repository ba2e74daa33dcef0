#pragma once

#include <array>
#include <cstddef>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The derivatives of one operation; its value is Kernel<Op, Backend>. A specialisation holds
///   keeps_inputs, keeps_output   what the backward pass needs to read, of the inputs the first so many: the
///   rest is
///                                freed early
///   vjp(op, wanted, y, g, x)     gradients of the wanted inputs x from the gradient g of y, on tensors
///   jvp(op, y, x..., dx...)      tangent of y from the inputs' tangents, on any value type; an undefined
///                                tangent means zero, at least one is defined
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
