// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <consistency/optimizer/optimizer.hpp>
#include <consistency/training/trainer_settings.hpp>
#include <consistency/training/update_bounds.hpp>

namespace consistency {

/// The update of a training state, besides the gradient.
template <class O>
struct StateUpdate {
  O const& optimizer;
  TrainerSettings const& settings;
  Index k;             ///< updates since the optimizer and the averages started, this one included
  double scale;        ///< of the gradient, where it is clipped
  double target_rate;  ///< of θ⁻
  bool anew;           ///< in a method of stages the optimizer and the averages start anew with each

  template <class X>
  void apply(X const& gradient, TrainingState<X>& state) const {
    if (anew) {
      for (auto& [name, arena] : state.optimizer) arena.flat().fill(typename X::Scalar(0));
      state.averaged.flat().assign(state.theta.flat());
      for (auto& [name, arena] : state.averages) arena.flat().assign(state.theta.flat());
    }
    using Averages = decltype(Update<X>::averages);
    auto averages = Averages{{{state.averaged.flat(), settings.ema.at(k)},
                              {state.target ? state.target->flat() : X{}, target_rate}}};
    Update<X> update{.k = k,
                     .scale = scale,
                     .gradient = gradient,
                     .theta = state.theta.flat(),
                     .state = {},
                     .entries = state.theta.table().entries(),
                     .averages = MomentOptimizer<O> ? averages : Averages{}};
    for (std::size_t i = 0; i < state.optimizer.size(); ++i)
      update.state[i] = state.optimizer[i].numbers.flat();
    auto const kept = constants(state.theta);
    optimizer.update(update);
    if constexpr (!MomentOptimizer<O>)
      for (auto& [values, rate] : averages) average(values, rate, state.theta.flat());
    for (std::size_t i = 0; i < state.averages.size(); ++i)
      average(state.averages[i].numbers.flat(), settings.further_averages[i].at(k), state.theta.flat());
    for (auto const& [offset, numbers] : kept) {  // decay would move them, and averages see that
      auto const put = [at = offset, &to = numbers](Parameters<X> const& arena) {
        arena.flat().view(at, to.shape()).assign(to);
      };
      put(state.theta);
      put(state.averaged);
      if (state.target) put(*state.target);
      for (auto const& [name, arena] : state.averages) put(arena);
    }
  }

  /// Bounds of the state after this update by a gradient of this norm; none where they do not tell that every
  /// number S stays finite.
  template <class S>
  std::optional<UpdateBounds> bounds_after(UpdateBounds const& before, double norm) const {
    if constexpr (MomentOptimizer<O>) {
      constexpr auto below_squares = 1e-18;  // numbers whose squares vanish
      auto const start = anew ? UpdateBounds{before.theta, std::max(before.theta, before.averages)} : before;
      return start.after<S>(optimizer.at(k), scale * (norm * (1 + 1e-6) + below_squares));
    } else {
      return std::nullopt;
    }
  }

 private:
  /// Copies of the constants among the parameters, with their places.
  template <class X>
  static std::vector<std::pair<Index, X>> constants(Parameters<X> const& theta) {
    std::vector<std::pair<Index, X>> all;
    for (ParameterId id = 0; id < theta.table().entries().size(); ++id)
      if (auto const& entry = theta.table().entries()[id]; entry.constant)
        all.emplace_back(entry.offset, theta[id].clone());
    return all;
  }

  /// a ← rate · a + (1 − rate) · θ
  template <class X>
  static void average(X a, double rate, X const& theta) {
    if (a.defined()) a.assign(evaluated(rate * a + (1 - rate) * theta));
  }
};

}  // namespace consistency
