// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include <consistency/training/training_state.hpp>

namespace consistency {

/// Constants among a method's parameters that are moving averages of what batches have: a method names them
/// as `averaged_constants()` and their rate as `averaging_rate()`, and its loss gives the batch's share as
/// their gradient, so that it is added up over micro-batches and ranks. No optimizer sees it.
template <class M>
concept AveragesConstants = requires(M const& method) {
  method.averaged_constants();
  method.averaging_rate();
};

/// What the batch of a step has, out of the gradient, which is 0 there afterwards.
template <AveragesConstants M, class X>
std::vector<X> taken_from_gradient(M const& method, ParameterTable const& table, X& gradient) {
  std::vector<X> taken;
  for (auto const id : method.averaged_constants()) {
    auto slot = gradient.view(table.entries()[id].offset, table.entries()[id].shape);
    taken.push_back(slot.clone());
    slot.fill(typename X::Scalar(0));
  }
  return taken;
}

/// a ← rate · a + (1 − rate) · taken, in θ and in all that follows it.
template <AveragesConstants M, class X>
void average_constants(M const& method, std::vector<X> const& taken, TrainingState<X>& state) {
  auto const rate = method.averaging_rate();
  auto const& entries = state.theta.table().entries();
  std::size_t i = 0;
  for (auto const id : method.averaged_constants()) {
    X const next = rate * state.theta[id] + (1 - rate) * taken[i++];
    auto const put = [&](Parameters<X>& arena) {
      arena.flat().view(entries[id].offset, entries[id].shape).assign(next);
    };
    put(state.theta);
    put(state.averaged);
    if (state.target) put(*state.target);
    for (auto& [name, arena] : state.averages) put(arena);
  }
}

}  // namespace consistency
