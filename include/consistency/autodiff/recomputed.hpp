// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/autodiff/reverse.hpp>

namespace consistency {

/// body(x…), of which the tape keeps the inputs x alone: what the operations inside saved for their
/// derivatives is freed at once, and the backward pass runs body again to have it (gradient checkpointing,
/// Chen et al. 2016). Value and gradients keep every bit. body must give the same for the same inputs, and
/// what it refers to must live until the backward pass. Where no x is a variable, and for duals, this is body
/// itself.
template <class Body, class... X>
auto recomputed(Body const& body, X const&... x) {
  if constexpr ((is_variable<X> || ...)) {
    using V = decltype(body(x...));
    using T = tensor_of_t<V>;
    Tape<T>* tape = nullptr;
    ((tape = tape ? tape : detail::tape_of(x)), ...);
    if (!tape) return V(body(x...));
    auto const mark = tape->mark();
    T y = body(x...).value();
    tape->rewind(mark);
    return tape->record(std::move(y), [body, x...](Tape<T>& again, T const& g) {
      auto const start = again.mark();
      again.backward(body(x...), g, start);
      again.rewind(start);
    });
  } else {
    return body(x...);
  }
}

}  // namespace consistency
