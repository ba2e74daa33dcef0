#pragma once

#include <concepts>

#include <consistency/core/random.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// What a Trainer minimises by the parameters θ of `f`'s network. Beside what the concept asks it has
/// `draw(x0, k, key, first)`, the noise and times of a batch x0 at step k, and `loss(theta, theta_minus, x0,
/// drawn)`, the mean over the batch, for θ plain or on a tape; it depends on k through `drawn` alone. Sample
/// i of the batch is sample first + i of the step: noise, times and dropout depend on nothing else. Models:
/// ConsistencyObjective, ContinuousObjective, DenoiserTraining, ProgressiveDistillation. docs/methods.md
template <class M>
concept Method = requires(M const& method, Index k) {
  method.f.network().parameters();
  method.check();                                     // throws config_error for impossible settings
  { M::follows } -> std::convertible_to<bool>;        // whether θ⁻ has numbers of its own
  { method.rate(k) } -> std::convertible_to<double>;  // then θ⁻ ← μ θ⁻ + (1 − μ) θ after step k
  { method.resolution(k) } -> std::convertible_to<double>;  // N(k) or its counterpart; 0: there is none
};

}  // namespace consistency
