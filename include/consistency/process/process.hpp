// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>

#include <consistency/core/time_range.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// How data x₀ become noise: x_t = α(t) x₀ + β(t) z with z ~ N(0, I), from the smallest time ε to T. It owns
/// ε and T once: what draws, trains and samples asks f for its process. Seen as x₀ under noise, x_t / α(t)
/// has the noise level σ(t) = β(t) / α(t), in which processes are converted into each other. Models:
/// VarianceExploding, LinearPath, Trigonometric. docs/concepts/process.md
template <class P>
concept NoiseProcess = requires(P const& process, Tensor<float> const& x, double t) {
  { process.range() } -> std::same_as<TimeRange>;  // ε and T
  { process.rho } -> std::convertible_to<double>;  // grids are even in t^{1/ρ}
  { P::straight } -> std::convertible_to<bool>;  // x_t is linear in t: Euler's step along (x₀, z) is exact
  process.check();                               // throws config_error for impossible settings
  { process.text() } -> std::convertible_to<std::string>;  // as it is written in a program
  { process.point(x, x, x) } -> Operand;                   // x₀, z, t ↦ x_t
  { process.data_velocity(x, x, x) } -> Operand;           // x₀, z, t ↦ dx_t/dt
  { process.velocity(x, x, x) } -> Operand;                // x_t, D, t ↦ v
  { process.denoised(x, x, x) } -> Operand;                // x_t, v, t ↦ D
  { process.score(x, x, x) } -> Operand;                   // x_t, D, t ↦ ∇ log p_t(x_t)
  { process.step(x, x, x, x) } -> Operand;                 // x_t, D, t, s ↦ x_s (DDIM)
  { process.prior(x) } -> Operand;                         // z ↦ x_T
  { process.renoise(x, x, t, t) } -> Operand;              // x_s, z, s < t ↦ x_t
  { process.scale(t) } -> std::convertible_to<double>;     // α(t)
  { process.sigma(t) } -> std::convertible_to<double>;     // σ(t)
  { process.time(t) } -> std::convertible_to<double>;      // σ ↦ t
};

/// Throws config_error unless 0 ≤ ε < T, both finite.
inline void check_range(char const* where, TimeRange range, double largest) {
  if (!(range.smallest >= 0 && range.smallest < range.largest && range.largest <= largest))
    fail<config_error>(where, "epsilon and T",
                       number_text(range.smallest) + " and " + number_text(range.largest),
                       "0 <= epsilon < T <= " + number_text(largest));
}

}  // namespace consistency
