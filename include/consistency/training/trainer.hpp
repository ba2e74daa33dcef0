// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/distributed/ranks.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/optimizer/optimizer.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/training/averaged_constants.hpp>
#include <consistency/training/check_batch.hpp>
#include <consistency/training/condition_dropout.hpp>
#include <consistency/training/gradient_step.hpp>
#include <consistency/training/method.hpp>
#include <consistency/training/rank_agreement.hpp>
#include <consistency/training/state_update.hpp>
#include <consistency/training/trainer_settings.hpp>
#include <consistency/training/training_state.hpp>
#include <consistency/training/update_bounds.hpp>

namespace consistency {

/// What one training step did.
struct StepReport {
  Index step = 0;            ///< steps done, this one included
  double loss = 0;           ///< mean over the batch, before the update
  double gradient_norm = 0;  ///< before clipping
  double resolution = 0;     ///< N(k)
};

/// Minimises a method's loss: gradient, clipping, optimizer, averages. It prints nothing; `step` reports.
/// Over a communicator of several ranks each takes its part of a batch, and all keep the same state to the
/// bit.
template <class M, class O, class X = Tensor<float>, Communicator C = SelfCommunicator>
class Trainer {
 public:
  static_assert(
      !requires(M const& method) { method.f.parameters(); },
      "Trainer: the method was given a network and trains a function of one: give it "
      "ConsistencyFunction{net} or Denoiser{net}");
  static_assert(
      Optimizer<O, X>,
      "Trainer: the second argument must be an Optimizer: update(u) of an Update, and state_names, at most "
      "eight, each once, none of them theta, target or averaged");
  static_assert(
      Method<M, X>,
      "Trainer: the first argument must be a Method: f, check(), has_target, rate(k), resolution(k), "
      "loss(theta, theta_minus, batch, drawn) and draw(x0, k, key, first), which returns Draws or a type "
      "with its clone(), assign(other) and mode");

  /// Throws config_error for an EMA rate outside [0, 1), a negative clip, or parameters of another network,
  /// numeric_error for one that is not finite, and distributed_error where ranks differ in settings or
  /// parameters.
  Trainer(M method, O optimizer, Parameters<X> theta, TrainerSettings settings = {}, C communicator = C{})
      : ranks_{std::move(communicator)},
        method_{std::move(method)},
        optimizer_{std::move(optimizer)},
        settings_{std::move(settings)},
        gradient_step_{theta.table()},
        state_{theta, {}, theta, {}, {}, 0, settings_.key, process_of(method_.f).text()} {
    if constexpr (M::has_target) state_.target = theta;
    for (std::size_t i = 0; i < settings_.further_averages.size(); ++i)
      state_.averages.push_back({average_name(i), theta});
    for (auto const name : O::state_names)
      state_.optimizer.push_back({std::string{name}, Parameters<X>{theta.table()}});
    ranks_.together([&] {
      method_.check();
      settings_.check();
      require_layout("theta", theta, parameters_of(method_));
      check_settings(optimizer_, theta.table());
      bounds_ = measured(state_, "Start from finite parameters.");
    });
    require_agreement(ranks_, method_, optimizer_, settings_, state_);
  }

  /// As below, for data without conditions.
  StepReport step(X const& x0) { return step(Batch<X>{x0}); }
  /// One step on a batch (n, …) of data, or on the parts of one that the ranks have. Throws dataset_error for
  /// a batch that is empty, not finite or not of unit scale, numeric_error for a loss, a gradient or an
  /// updated number that is not finite, config_error for times, a rate or a number of steps or samples that
  /// cannot be, and distributed_error where a rank was lost, on every rank; the state is then as before.
  StepReport step(Batch<X> const& batch) {
    auto const k = state_.step;
    ranks_.at_step(k);
    auto const part = ranks_.share([&] { return check_batch(batch.x0), batch.x0.shape()[0]; });
    auto const value = ranks_.total([&] {
      auto const kept =
          without_some_conditions(batch, settings_.condition_dropout, k, state_.key, part.first);
      return gradient_step_.differentiate(method_, state_, kept, part, settings_);
    });
    ranks_.sum(gradient_step_.gradient());
    [[maybe_unused]] std::vector<X> taken;
    if constexpr (AveragesConstants<M>)
      taken = taken_from_gradient(method_, state_.theta.table(), gradient_step_.gradient());
    X const squared = sum(square(gradient_step_.gradient()));  // ()
    auto const norm = std::sqrt(static_cast<double>(to<Cpu>(squared)[0]));
    require_finite("gradient norm", norm, k);
    update(k, norm);
    if constexpr (AveragesConstants<M>) average_constants(method_, taken, state_);
    ++state_.step;
    return {state_.step, value, norm, method_.resolution(k)};
  }

  /// Steps until `until` steps are done in all, on batches(k) at step k; on_step(report) is called after each
  /// and ends the run by returning false.
  void run(auto&& batches, Index until, auto&& on_step) {
    while (state_.step < until)
      if (!on_step(step(batches(state_.step)))) return;
  }

  M const& method() const noexcept { return method_; }
  TrainerSettings const& settings() const noexcept { return settings_; }
  Parameters<X> const& theta() const noexcept { return state_.theta; }
  Parameters<X> const& averaged() const noexcept { return state_.averaged; }
  /// Average number i = 0, 1, …: the one of `ema`, then the further ones. Throws config_error where there is
  /// none.
  Parameters<X> const& averaged(Index i) const {
    require_within("Trainer", "number of an average", i, 0, static_cast<Index>(state_.averages.size()));
    return i == 0 ? state_.averaged : state_.averages[static_cast<std::size_t>(i - 1)].numbers;
  }
  TrainingState<X> const& state() const noexcept { return state_; }
  C const& communicator() const noexcept { return ranks_.communicator(); }
  /// Takes up a saved state. Throws config_error where it is another network's, process's or optimizer's, its
  /// step is out of range, or the method has a target network and the state has none; numeric_error where a
  /// number is not finite; and distributed_error where ranks differ in it. The trainer is then as before.
  void resume(TrainingState<X> state) {
    UpdateBounds bounds;
    ranks_.together([&] {
      if (!M::has_target) state.target.reset();
      if (M::has_target && !state.target)
        fail<config_error>("Trainer", "state", "no target network", "the θ⁻ of this method");
      require_names("averages", names_of(state.averages), names_of(state_.averages));
      require_names("state of the optimizer", names_of(state.optimizer), names_of(state_.optimizer));
      if (!state.process.empty() && state.process != state_.process)
        fail<config_error>("Trainer", "noise process of the state", printable(state.process), state_.process,
                           "Go on with the process that the run began with.");
      state.process = state_.process;
      for_arenas(state, [&](std::string const& name, Parameters<X> const& arena) {
        require_layout(name, arena, parameters_of(method_));
      });
      static_cast<void>(counted("Trainer", "steps done", state.step));
      bounds = measured(state, "The trainer is as before. Resume from a checkpoint of an earlier step.");
    });
    require_agreement(ranks_, method_, optimizer_, settings_, state);
    gradient_step_.forget();
    tried_.reset();
    state_ = std::move(state);
    bounds_ = bounds;
  }

 private:
  /// The update of step k. Where bounds do not tell that every number stays finite, a copy is updated first.
  void update(Index k, double norm) {
    auto const with = update_at(k, norm);
    auto next = with.template bounds_after<typename X::Scalar>(bounds_, norm);
    if (next) {
      with.apply(gradient_step_.gradient(), state_);
    } else {
      ranks_.together([&] {
        if (tried_)
          assign_arenas(*tried_, state_);
        else
          tried_ = state_;
        with.apply(gradient_step_.gradient(), *tried_);
        next = measured(*tried_,
                        "This is what the update would leave; the state is as before it. Lower the learning "
                        "rate, raise the optimizer's epsilon, or clip the gradient.");
      });
      assign_arenas(state_, *tried_);
      if (MomentOptimizer<O>) tried_.reset();  // the next one rarely needs it
    }
    bounds_ = *next;
  }

  StateUpdate<O> update_at(Index k, double norm) const {
    auto done = k;  // updates since the optimizer and the average started
    auto anew = false;
    if constexpr (requires { method_.step_in_stage(k); }) {
      done = method_.step_in_stage(k);
      anew = done == 0;
    }
    auto const scale = settings_.clip > 0 && norm > settings_.clip ? settings_.clip / norm : 1.0;
    auto const rate = method_.rate(k);
    require_setting(rate >= 0 && rate <= 1, "Trainer", "rate(k) of the method", rate, "[0, 1]");
    return {optimizer_, settings_, done + 1, scale, rate, anew};
  }

  static std::string average_name(std::size_t i) { return "averaged_" + number_text(i + 2); }
  static std::string names_of(std::vector<NamedArena<X>> const& arenas) {
    std::string text;
    for (auto const& [name, numbers] : arenas) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
  }
  static void require_names(char const* what, std::string const& found, std::string const& expected) {
    if (found != expected)
      fail<config_error>("Trainer", std::string{what} + " in a state", found, expected,
                         "Go on with the optimizer and the averages that the run began with.");
  }

  Ranks<C> ranks_;
  M method_;
  O optimizer_;
  TrainerSettings settings_;
  GradientStep<M, X, Ranks<C>::alone> gradient_step_;
  TrainingState<X> state_;
  std::optional<TrainingState<X>> tried_;  // where updates are tried
  UpdateBounds bounds_;                    // of state_
};

}  // namespace consistency
