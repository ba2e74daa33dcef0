// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/shape.hpp>

namespace example {

using consistency::Index;

/// The number of steps K of a run that is to take a given time, corrected as the run goes: at each 2.5 % of
/// the time, up to 97.5 % of it, by the speed of the last 5 %, where the forecast is off by more than 1 %.
///
/// What a recipe takes as shares of K moves with K. A correction downward lets a run enter later stages
/// sooner; one upward is cut where a step would fall back into a stage that it has left.
class TimePlan {
 public:
  /// `seconds` in all, `spent` of which are over at step `step` of K.
  TimePlan(double seconds, Index K, double spent = 0, Index step = 0)
      : seconds_{seconds}, K_{K}, before_{spent, step}, last_{spent, step} {}

  /// K at a step, when so much of the time is over; stage(K') is the stage of that step in a run of K' steps,
  /// a number that does not rise with K'. At least one more than the step.
  Index steps(double spent, Index step, auto const& stage) {
    constexpr auto share = 0.025, least = 0.01;
    if (spent < last_.spent + share * seconds_ || spent > (1 - share) * seconds_ || step <= before_.step)
      return K_;
    auto const per_step = (spent - before_.spent) / static_cast<double>(step - before_.step);
    before_ = last_;
    last_ = {spent, step};
    auto const left = std::clamp((seconds_ - spent) / per_step, 1.0, 0x1p62);
    auto const forecast = step + static_cast<Index>(std::llround(left));
    if (std::abs(static_cast<double>(forecast - K_)) > least * static_cast<double>(K_))
      K_ = forecast > K_ ? without_return(forecast, stage) : forecast;
    return K_;
  }

 private:
  struct Mark {
    double spent;
    Index step;
  };

  /// The largest K' from K to `most` whose stage is that of K, or a later one.
  Index without_return(Index most, auto const& stage) const {
    auto kept = K_, lost = most + 1;
    auto const now = stage(K_);
    while (lost - kept > 1) {
      auto const middle = kept + (lost - kept) / 2;
      (stage(middle) >= now ? kept : lost) = middle;
    }
    return kept;
  }

  double seconds_;
  Index K_;
  Mark before_, last_;  // the two corrections before
};

}  // namespace example
