// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include <consistency/core/random.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// What a method draws for a batch: noise and times that can be copied, overwritten in place, and the mode of
/// the network in training. Models: Draws.
template <class D>
concept DrawsOfMethod = std::copyable<D> && requires(D& drawn, D const& other) {
  { other.clone() } -> std::same_as<D>;
  drawn.assign(other);
  { drawn.mode } -> std::same_as<Mode&>;
};

/// The table of what a method trains: its own, where it has parameters beside the network's, which come first
/// in it.
template <class M>
ParameterTable const& parameters_of(M const& method) {
  if constexpr (requires { method.parameters(); }) {
    return method.parameters();
  } else {
    return method.f.network().parameters();
  }
}

/// What a Trainer minimises by the parameters θ of `f`'s network: `loss(theta, theta_minus, batch, drawn)`,
/// the mean over the batch, for θ plain or on a tape; it depends on k through `drawn` alone, what `draw`
/// gives for data x0 at step k. Sample i of the batch is sample first + i of the step: noise, times and
/// dropout depend on nothing else. Models: ConsistencyTraining, ConsistencyDistillation,
/// ConsistencyObjective, ContinuousConsistencyTraining, ContinuousConsistencyDistillation, DenoiserTraining,
/// FlowMatching, ProgressiveDistillation. docs/methods.md
template <class M, class X = Tensor<float>>
concept Method =
    requires(M const& method, Index k, X const& x0, Key key, std::uint32_t first) {
      method.f.network().parameters();
      method.check();                                     // throws config_error for impossible settings
      { M::has_target } -> std::convertible_to<bool>;     // whether θ⁻ has numbers of its own
      { method.rate(k) } -> std::convertible_to<double>;  // then θ⁻ ← μ θ⁻ + (1 − μ) θ after step k
      { method.resolution(k) } -> std::convertible_to<double>;  // N(k) or its counterpart; 0: there is none
      { method.draw(x0, k, key, first) } -> DrawsOfMethod;
    } && requires(M const& method, Parameters<Variable<X>> const& theta, Parameters<X> const& theta_minus,
                  Batch<X> const& batch, decltype(method.draw(batch.x0, Index{}, Key{}, 0U)) const& drawn) {
      { method.loss(theta, theta_minus, batch, drawn) } -> Operand;
    };

}  // namespace consistency
