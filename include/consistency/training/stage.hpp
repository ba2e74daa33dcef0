// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/core/check.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency {

/// A stage of training by another method.
struct Stage {
  Index steps = 0;
  bool keep_optimizer = false;  ///< its state goes on, and with it the averages, the count of steps, the key
};

/// Trains for the steps of a stage from the state that another method's training ended with, on batches(k) at
/// step k. θ⁻ begins as θ; so do the averages, and steps count from 0, unless the optimizer's state is kept,
/// whose rates depend on that count. on_step(report) is called after each and ends the stage by returning
/// false; a saved state of a stage is resumed as any other. Throws config_error for a stage without steps,
/// and what Trainer::resume throws; the trainer is then as before.
template <class M, class O, class X, class C>
void run_stage(Trainer<M, O, X, C>& trainer, TrainingState<X> const& before, Stage const& stage,
               auto&& batches, auto&& on_step) {
  require_setting(stage.steps >= 1, "Stage", "steps", static_cast<double>(stage.steps), "1 or more");
  auto state = before;
  state.target = before.theta;
  if (!stage.keep_optimizer) {
    state.step = 0;
    state.key = trainer.settings().key;
    state.averaged = before.theta;
    state.averages = trainer.state().averages;
    for (auto& [name, arena] : state.averages) arena = before.theta;
    state.optimizer = trainer.state().optimizer;
    for (auto& [name, arena] : state.optimizer) arena = Parameters<X>{before.theta.table()};
  }
  auto const until = state.step + stage.steps;
  trainer.resume(std::move(state));
  trainer.run(batches, until, on_step);
}

}  // namespace consistency
