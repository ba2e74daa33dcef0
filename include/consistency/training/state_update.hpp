// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include <consistency/optimizer/optimizer.hpp>
#include <consistency/training/update_bounds.hpp>

namespace consistency {

/// The update of a training state, besides the gradient.
struct StateUpdate {
  MomentStep step;
  double scale;        ///< of the gradient, where it is clipped
  double ema;          ///< rate of the average of θ
  double target_rate;  ///< of θ⁻
  bool anew;           ///< in a method of stages the optimizer and the average start anew with each

  template <class X>
  void apply(X const& gradient, TrainingState<X>& state) const {
    if (anew) {
      state.first_moment.flat().fill(typename X::Scalar(0));
      state.second_moment.flat().fill(typename X::Scalar(0));
      state.averaged.flat().assign(state.theta.flat());
    }
    moment_update(MomentUpdate<X>{.step = step,
                                  .gradient_scale = scale,
                                  .gradient = gradient,
                                  .first_moment = state.first_moment.flat(),
                                  .second_moment = state.second_moment.flat(),
                                  .theta = state.theta.flat(),
                                  .averages = {{{state.averaged.flat(), ema},
                                                {state.target ? state.target->flat() : X{}, target_rate}}}});
  }

  /// Bounds of the state after this update by a gradient of this norm; none where they do not tell that every
  /// number S stays finite.
  template <class S>
  std::optional<UpdateBounds> bounds_after(UpdateBounds const& before, double norm) const {
    constexpr auto below_squares = 1e-18;  // numbers whose squares vanish
    auto const start = anew ? UpdateBounds{before.theta, std::max(before.theta, before.averages)} : before;
    return start.after<S>(step, scale * (norm * (1 + 1e-6) + below_squares));
  }
};

}  // namespace consistency
