#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <consistency/core/check.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/training/method.hpp>
#include <consistency/training/optimizer.hpp>

namespace consistency {

/// What one training step did.
struct StepReport {
  Index step = 0;            ///< steps done, this one included
  double loss = 0;           ///< mean over the batch, before the update
  double gradient_norm = 0;  ///< before clipping
  double resolution = 0;     ///< N(k)
};

struct TrainerSettings {
  double ema = 0.9999;  ///< rate of the average of θ that samples are drawn with
  double clip = 0;      ///< largest gradient norm; 0: no clipping
  Key key{};            ///< of noise, times and dropout
};

/// The whole state of a run besides its settings. Saving it and going on changes no bit.
template <class X>
struct TrainingState {
  Parameters<X> theta;
  std::optional<Parameters<X>> target;  ///< θ⁻, where the method's target network follows θ
  Parameters<X> averaged;               ///< EMA of θ
  Parameters<X> first_moment, second_moment;
  Index step = 0;
  Key key{};
};

/// Minimises a method's loss: gradient, clipping, optimizer, averages. It prints nothing; `step` reports.
template <class M, Optimizer O, class X = Tensor<float>>
class Trainer {
 public:
  static_assert(Method<M>,
                "Trainer: the first argument must be a Method: f, check(), follows, "
                "rate(k) and resolution(k)");

  /// Throws config_error for an EMA rate outside [0, 1), a negative clip, or parameters of another network.
  Trainer(M method, O optimizer, Parameters<X> theta, TrainerSettings settings = {})
      : method_{std::move(method)},
        optimizer_{optimizer},
        settings_{settings},
        gradient_{theta.table()},
        state_{theta, {},          theta, Parameters<X>{theta.table()}, Parameters<X>{theta.table()},
               0,     settings.key} {
    if constexpr (M::follows) state_.target = theta;
    method_.check();
    check_settings(optimizer_);
    require_rate("Trainer", "ema", settings.ema);
    if (!(settings.clip >= 0)) refuse("clip", std::to_string(settings.clip), "0 or more");
    if (!theta.table().same_layout(method_.f.network().parameters()))
      refuse("parameters", std::to_string(theta.table().count()) + " numbers",
             std::to_string(method_.f.network().parameters().count()) + " numbers of the method's network");
  }

  /// One step on a batch (n, …) of data. Throws dataset_error for a batch that is empty, not finite or not of
  /// unit scale, and numeric_error for a non-finite loss or gradient; the state is then as before.
  StepReport step(X const& batch) {
    auto const k = state_.step;
    tape_.clear();
    gradient_.flat().fill(typename X::Scalar(0));
    static_cast<void>(state_.theta.flat());  // kept forms would last this step alone, and cost more than θ
    theta_.watch(tape_, state_.theta, gradient_);
    auto const& theta_minus = M::follows ? *state_.target : state_.theta;
    check(batch);
    auto const loss = method_.loss(theta_, theta_minus, batch, k, state_.key);
    auto const value = static_cast<double>(to<Cpu>(loss.value())[0]);
    if (!std::isfinite(value)) diverged("loss", value, k);
    tape_.backward(loss);
    X const squared = sum(square(gradient_.flat()));
    auto const norm = std::sqrt(static_cast<double>(to<Cpu>(squared)[0]));
    if (!std::isfinite(norm)) diverged("gradient norm", norm, k);
    auto const scale = settings_.clip > 0 && norm > settings_.clip ? settings_.clip / norm : 1.0;
    moment_update(optimizer_.at(begin_update(k)), scale, gradient_.flat(), state_.first_moment.flat(),
                  state_.second_moment.flat(), state_.theta.flat(),
                  {state_.averaged.flat(), M::follows ? state_.target->flat() : X{}},
                  {settings_.ema, method_.rate(k)});
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
  TrainingState<X> const& state() const noexcept { return state_; }
  /// Takes up a saved state. Throws config_error where the method's target network follows and the state has
  /// none.
  void resume(TrainingState<X> state) {
    if (M::follows && !state.target)
      refuse("state", "no target network", "the θ⁻ that this method's target follows");
    state_ = std::move(state);
    if (!M::follows) state_.target.reset();
  }

 private:
  static constexpr double largest_magnitude = 16;  // far outside what a sigma_data of 0.5 means

  /// The number of step k's update, 1, 2, …; in a method of stages the optimizer and the
  /// average start anew with each.
  Index begin_update(Index k) {
    if constexpr (requires { method_.step_in_stage(k); }) {
      auto const done = method_.step_in_stage(k);
      if (done == 0) {
        state_.first_moment.flat().fill(typename X::Scalar(0));
        state_.second_moment.flat().fill(typename X::Scalar(0));
        state_.averaged.flat().assign(state_.theta.flat());
      }
      return done + 1;
    } else {
      return k + 1;
    }
  }

  [[noreturn]] static void refuse(std::string what, std::string found, std::string expected) {
    throw config_error{{.where = "Trainer",
                        .what = std::move(what),
                        .found = std::move(found),
                        .expected = std::move(expected),
                        .advice = ""}};
  }
  [[noreturn]] static void diverged(char const* what, double found, Index k) {
    throw numeric_error{
        {.where = "Trainer, step " + std::to_string(k),
         .what = what,
         .found = std::to_string(found),
         .expected = "a finite number",
         .advice = "The state is as before this step. Lower the learning rate, clip the gradient, or "
                   "check the data's range."}};
  }

  static void check(X const& batch) {
    if (!batch.defined() || batch.count() == 0)
      throw dataset_error{{.where = "Trainer",
                           .what = "batch",
                           .found = "no data",
                           .expected = "1 sample or more",
                           .advice = ""}};
    auto const magnitude = to<Cpu>(X{mean_per_sample(abs(batch))});
    for (Index i = 0; i < magnitude.count(); ++i) {
      if (!std::isfinite(magnitude[i]))
        throw dataset_error{{.where = "Trainer",
                             .what = "sample " + std::to_string(i) + " of the batch",
                             .found = "a number that is not finite",
                             .expected = "finite data, usually in [-1, 1]",
                             .advice = "Check the data set."}};
      if (magnitude[i] > largest_magnitude)
        throw dataset_error{{.where = "Trainer",
                             .what = "sample " + std::to_string(i) + " of the batch",
                             .found = "a mean magnitude of " + std::to_string(magnitude[i]),
                             .expected = "data of about unit scale, usually in [-1, 1]",
                             .advice = "Scale the data: bytes become x / 127.5 - 1."}};
    }
  }

  M method_;
  O optimizer_;
  TrainerSettings settings_;
  Tape<X> tape_;
  Parameters<Variable<X>> theta_;
  Parameters<X> gradient_;
  TrainingState<X> state_;
};

}  // namespace consistency
