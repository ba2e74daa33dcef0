// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <consistency/optimizer/optimizer.hpp>
#include <consistency/training/training_state.hpp>

namespace consistency {

/// Bounds of the magnitudes in a training state. They tell before an update whether each of its numbers will
/// be finite, at no cost: a step need not look at θ, and where they cannot tell it tries the update on a
/// copy.
struct UpdateBounds {
  double theta = 0;
  double averages = 0;  ///< of θ⁻ too
  double first = 0, second = 0;

  /// Those after an update by numbers S, from gradients of at most `gradient` and with rates of averages in
  /// [0, 1]; none where a number might leave the finite ones. Divisors are at least epsilon.
  template <class S>
  std::optional<UpdateBounds> after(MomentStep const& step, double gradient) const {
    constexpr auto most = static_cast<double>(std::numeric_limits<S>::max()) / 4;
    constexpr auto rounded = 1 + 16 * static_cast<double>(std::numeric_limits<S>::epsilon());
    auto const squared = gradient * gradient;
    auto const rate = std::abs(step.rate);
    UpdateBounds next;
    next.first = rounded * (step.beta1 * first + (1 - step.beta1) * gradient);
    next.second = rounded * (step.beta2 * second + (1 - step.beta2) * squared);
    auto const product = rate * next.first;
    auto const moved = step.adaptive ? product / step.epsilon : product;
    next.theta = rounded * (theta + moved);
    next.averages = rounded * std::max(averages, next.theta);
    auto const within = [](auto... numbers) { return ((numbers >= 0 && numbers <= most) && ...); };
    auto const decays = step.beta1 >= 0 && step.beta1 <= 1 && step.beta2 >= 0 && step.beta2 <= 1;
    auto const divides = !step.adaptive || step.epsilon >= static_cast<double>(std::numeric_limits<S>::min());
    if (decays && divides &&
        within(squared, rate, product, moved, next.first, next.second, next.theta, next.averages))
      return next;
    return std::nullopt;
  }
};

/// The bounds of a state, measured. Throws numeric_error, naming arena and parameter, for a number that is
/// not finite, or a second moment below 0.
template <class X>
UpdateBounds measured(TrainingState<X> const& state, char const* advice) {
  UpdateBounds bounds;
  for_arenas(state, [&](std::string const& name, Parameters<X> const& arena) {
    auto const squares = name == moment_names[1];
    auto const top = largest_magnitude(name, arena, advice, squares);
    auto& bound = name == "theta"           ? bounds.theta
                  : name == moment_names[0] ? bounds.first
                  : squares                 ? bounds.second
                                            : bounds.averages;
    bound = std::max(bound, top);
  });
  return bounds;
}

}  // namespace consistency
