// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// A velocity for concept checks: v(x, t) = x.
struct VelocityArchetype {
  template <Value X>
  X operator()(X const& x, Operand auto const&) const {
    return x;
  }
};

/// One step of the probability-flow ODE dx/dt = v(x, t) from times t to smaller times s, (n, 1, …, 1) each.
/// Models: Euler, Ddim, Heun, Dpm2,
/// Midpoint. docs/concepts/ode_solver.md
template <class S>
concept OdeSolver = requires(S const& solver, VelocityArchetype v, Tensor<float> const& x) {
  { S::order } -> std::convertible_to<int>;  // global order of accuracy: p of Theorem 1
  { solver.step(v, x, x, x) } -> std::same_as<Tensor<float>>;
};

}  // namespace consistency
