#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/distributed/ranks.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/recorder.hpp>
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
  bool record = false;  ///< on a GPU: the gradient is recorded once for a batch's shape; not with dropout
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

/// The same state in another backend's memory.
template <class To, class S, class B>
TrainingState<Tensor<S, To>> to(TrainingState<Tensor<S, B>> const& state) {
  auto const& [theta, target, averaged, first_moment, second_moment, step, key] = state;  // every field
  std::optional<Parameters<Tensor<S, To>>> target_there;
  if (target) target_there = to<To>(*target);
  return {to<To>(theta),
          std::move(target_there),
          to<To>(averaged),
          to<To>(first_moment),
          to<To>(second_moment),
          step,
          key};
}

/// Minimises a method's loss: gradient, clipping, optimizer, averages. It prints nothing; `step` reports.
/// Over a communicator of several ranks each takes its part of a batch, and all keep the same state to the
/// bit.
template <class M, Optimizer O, class X = Tensor<float>, Communicator C = SelfCommunicator>
class Trainer {
 public:
  static_assert(Method<M>,
                "Trainer: the first argument must be a Method: f, check(), follows, "
                "rate(k) and resolution(k)");

  /// Throws config_error for an EMA rate outside [0, 1), a negative clip, or parameters of another network,
  /// and distributed_error where ranks differ in settings or parameters.
  Trainer(M method, O optimizer, Parameters<X> theta, TrainerSettings settings = {}, C communicator = C{})
      : ranks_{std::move(communicator)},
        method_{std::move(method)},
        optimizer_{optimizer},
        settings_{settings},
        gradient_{theta.table()},
        state_{theta, {},          theta, Parameters<X>{theta.table()}, Parameters<X>{theta.table()},
               0,     settings.key} {
    if constexpr (M::follows) state_.target = theta;
    ranks_.together([&] {
      method_.check();
      check_settings(optimizer_);
      require_rate("Trainer", "ema", settings.ema);
      if (!(settings.clip >= 0)) refuse("clip", number_text(settings.clip), "0 or more");
      if (auto const& own = method_.f.network().parameters(); !theta.table().same_meaning(own))
        refuse("parameters", theta.table().text(), own.text() + " of the method's network");
    });
    require_same(state_);
  }

  /// One step on a batch (n, …) of data, or on the parts of one that the ranks have. Throws dataset_error for
  /// a batch that is empty, not finite or not of unit scale, numeric_error for a non-finite loss or gradient,
  /// and distributed_error where a rank was lost, on every rank; the state is then as before.
  StepReport step(X const& batch) {
    auto const k = state_.step;
    ranks_.at_step(k);
    auto const part = ranks_.share([&] { return check(batch), batch.shape()[0]; });
    auto const value = ranks_.total([&] { return differentiate(batch, k, part); });
    ranks_.sum(gradient_.flat());
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
  C const& communicator() const noexcept { return ranks_.communicator(); }
  /// Takes up a saved state. Throws config_error where the method's target network follows and the state has
  /// none, and distributed_error where ranks differ in it.
  void resume(TrainingState<X> state) {
    ranks_.together([&] {
      if (M::follows && !state.target)
        refuse("state", "no target network", "the θ⁻ that this method's target follows");
    });
    require_same(state);
    recorder_.reset();
    state_ = std::move(state);
    if (!M::follows) state_.target.reset();
  }

 private:
  static constexpr double largest_magnitude = 16;  // far outside what a sigma_data of 0.5 means

  using Drawn = decltype(std::declval<M const&>().draw(X{}, Index{}, Key{}, 0U));

  /// What a gradient is computed from, where a recording finds it.
  struct Inputs {
    X batch;
    Drawn drawn;
    double weight;
  };

  /// What this rank's part of step k's batch adds to the loss; the gradient of that is then in gradient_.
  double differentiate(X const& batch, Index k, Share const& part) {
    auto const drawn = method_.draw(batch, k, state_.key, part.first);
    if (settings_.record) {
      place({batch, drawn, part.weight});
      recorder_.run([&] { differentiate(*inputs_); });
    } else {
      differentiate({batch, drawn, part.weight});
    }
    auto const value = static_cast<double>(to<Cpu>(loss_)[0]);
    if (!std::isfinite(value)) diverged("loss", value, k);
    return part.weight * value;
  }

  /// Loss and gradient, without reading a number on the host.
  void differentiate(Inputs const& in) {
    tape_.clear();
    gradient_.flat().fill(typename X::Scalar(0));
    state_.theta.drop_forms();  // kept forms would last this step alone, and cost more than θ
    theta_.watch(tape_, state_.theta, gradient_);
    auto const& theta_minus = M::follows ? *state_.target : state_.theta;
    auto const loss = method_.loss(theta_, theta_minus, in.batch, in.drawn);
    loss_.assign(loss.value());
    if constexpr (Ranks<C>::alone)
      tape_.backward(loss);
    else
      tape_.backward(evaluated(in.weight * loss));
    tape_.clear();
  }

  /// Inputs of the shape and weight that were recorded take the place of those; others begin a recording.
  void place(Inputs const& in) {
    if (inputs_ && inputs_->batch.shape() == in.batch.shape() && inputs_->weight == in.weight) {
      inputs_->batch.assign(in.batch);
      inputs_->drawn.assign(in.drawn);
    } else {
      recorder_.reset();
      inputs_ = {in.batch.clone(), in.drawn.clone(), in.weight};
    }
    inputs_->drawn.mode.recorded = true;
  }

  /// Ranks have the same parameters, settings and state, as far as numbers tell.
  void require_same(TrainingState<X> const& state) {
    if constexpr (!Ranks<C>::alone) {
      std::string table;
      for (auto const& entry : state.theta.table().entries()) table += entry.name + entry.shape.text();
      ranks_.require_same("names and shapes of parameters", std::as_bytes(std::span{table}));

      auto numbers = std::vector<double>{settings_.ema, settings_.clip};
      for (Index k = 0; k < Index{1} << 20U; k = 2 * k + 1) {
        auto const [beta1, beta2, rate, epsilon, adaptive] = optimizer_.at(k + 1);
        numbers.insert(numbers.end(), {beta1, beta2, rate, epsilon, adaptive ? 1.0 : 0.0, method_.rate(k),
                                       method_.resolution(k)});
      }
      ranks_.require_same("settings of training", std::as_bytes(std::span{numbers}));
      auto const place =
          std::vector{state.key.seed, std::uint64_t{state.key.stream}, static_cast<std::uint64_t>(state.step),
                      std::uint64_t{state.target.has_value()}};
      ranks_.require_same("seed and number of steps done", std::as_bytes(std::span{place}));
      for (auto const* arena : {&state.theta, state.target ? &*state.target : nullptr, &state.averaged,
                                &state.first_moment, &state.second_moment})
        if (arena) {
          auto const numbers_of = to<Cpu>(arena->flat());
          ranks_.require_same("parameters", std::as_bytes(numbers_of.values()));
        }
    }
  }

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
        {.where = "Trainer, step " + number_text(k),
         .what = what,
         .found = number_text(found),
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
                             .what = "sample " + number_text(i) + " of the batch",
                             .found = "a number that is not finite",
                             .expected = "finite data, usually in [-1, 1]",
                             .advice = "Check the data set."}};
      if (magnitude[i] > largest_magnitude)
        throw dataset_error{{.where = "Trainer",
                             .what = "sample " + number_text(i) + " of the batch",
                             .found = "a mean magnitude of " + number_text(magnitude[i]),
                             .expected = "data of about unit scale, usually in [-1, 1]",
                             .advice = "Scale the data: bytes become x / 127.5 - 1."}};
    }
  }

  Ranks<C> ranks_;
  M method_;
  O optimizer_;
  TrainerSettings settings_;
  Tape<X> tape_;
  Parameters<Variable<X>> theta_;
  Parameters<X> gradient_;
  TrainingState<X> state_;
  X loss_{Shape{}};
  std::optional<Inputs> inputs_;
  Recorder<typename X::Backend> recorder_;
};

}  // namespace consistency
