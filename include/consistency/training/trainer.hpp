#pragma once

#include <algorithm>
#include <array>
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
#include <consistency/optimizer/optimizer.hpp>
#include <consistency/tensor/recorder.hpp>
#include <consistency/training/batch.hpp>
#include <consistency/training/method.hpp>
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

struct TrainerSettings {
  double ema = 0.9999;  ///< rate of the average of θ that samples are drawn with
  /// At update k the rate is at most (1 + k) / (10 + k), so that short runs forget where they began; 0.9999
  /// is reached after 90,000. False: the rate is `ema` from the first, as in the papers' programs.
  bool ema_warmup = true;
  double clip = 0;      ///< largest gradient norm; 0: no clipping
  Key key{};            ///< of noise, times and dropout
  bool record = false;  ///< on a GPU: the gradient is recorded once for a batch's shape; not with dropout
};

/// Minimises a method's loss: gradient, clipping, optimizer, averages. It prints nothing; `step` reports.
/// Over a communicator of several ranks each takes its part of a batch, and all keep the same state to the
/// bit.
template <class M, Optimizer O, class X = Tensor<float>, Communicator C = SelfCommunicator>
class Trainer {
 public:
  static_assert(
      Method<M, X>,
      "Trainer: the first argument must be a Method: f, check(), follows, rate(k), resolution(k), "
      "loss(theta, theta_minus, x0, drawn) and draw(x0, k, key, first), which returns Draws or a type "
      "with its clone(), assign(other) and mode");

  /// Throws config_error for an EMA rate outside [0, 1), a negative clip, or parameters of another network,
  /// numeric_error for one that is not finite, and distributed_error where ranks differ in settings or
  /// parameters.
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
      require_layout("theta", theta, method_.f.network().parameters());
      bounds_ = measured(state_, "Start from finite parameters.");
    });
    require_same(state_);
  }

  /// One step on a batch (n, …) of data, or on the parts of one that the ranks have. Throws dataset_error for
  /// a batch that is empty, not finite or not of unit scale, numeric_error for a loss, a gradient or an
  /// updated number that is not finite, config_error for times, a rate or a number of steps or samples that
  /// cannot be, and distributed_error where a rank was lost, on every rank; the state is then as before.
  StepReport step(X const& batch) {
    auto const k = state_.step;
    ranks_.at_step(k);
    auto const part = ranks_.share([&] { return check_batch(batch), batch.shape()[0]; });
    auto const value = ranks_.total([&] { return differentiate(batch, k, part); });
    ranks_.sum(gradient_.flat());
    X const squared = sum(square(gradient_.flat()));
    auto const norm = std::sqrt(static_cast<double>(to<Cpu>(squared)[0]));
    if (!std::isfinite(norm)) diverged("gradient norm", norm, k);
    update(k, norm);
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
  /// Takes up a saved state. Throws config_error where it is another network's, its step is out of range, or
  /// the method's target network follows and the state has none; numeric_error where a number is not finite;
  /// and distributed_error where ranks differ in it. The trainer is then as before.
  void resume(TrainingState<X> state) {
    UpdateBounds bounds;
    ranks_.together([&] {
      if (!M::follows) state.target.reset();
      if (M::follows && !state.target)
        refuse("state", "no target network", "the θ⁻ that this method's target follows");
      for_arenas(state, [&](char const* name, Parameters<X> const& arena) {
        require_layout(name, arena, method_.f.network().parameters());
      });
      static_cast<void>(counted("Trainer", "steps done", state.step));
      bounds = measured(state, "The trainer is as before. Resume from a checkpoint of an earlier step.");
    });
    require_same(state);
    recorder_.reset();
    state_ = std::move(state);
    bounds_ = bounds;
  }

 private:
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

      auto numbers = std::vector<double>{settings_.ema, settings_.ema_warmup ? 1.0 : 0.0, settings_.clip};
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
      for_arenas(state, [&](char const* name, Parameters<X> const& arena) {
        auto const numbers_of = to<Cpu>(arena.flat());
        ranks_.require_same((std::string{"parameters, "} + name).c_str(), std::as_bytes(numbers_of.values()));
      });
    }
  }

  /// What an update is computed with, beside the gradient.
  struct Update {
    MomentStep step;
    double scale;
    std::array<double, 2> rates;  // of the average of θ, and of θ⁻
    bool anew;                    // in a method of stages the optimizer and the average start anew with each
  };

  /// The update of step k. Where the bounds do not tell that every number stays finite, a copy is updated
  /// first.
  void update(Index k, double norm) {
    auto done = k;
    auto anew = false;
    if constexpr (requires { method_.step_in_stage(k); }) {
      done = method_.step_in_stage(k);
      anew = done == 0;
    }
    auto const clipped = settings_.clip > 0 && norm > settings_.clip;
    auto const with = Update{optimizer_.at(done + 1),
                             clipped ? settings_.clip / norm : 1.0,
                             {average_rate(done + 1), method_.rate(k)},
                             anew};
    require_setting(with.rates[1] >= 0 && with.rates[1] <= 1, "Trainer", "rate(k) of the method",
                    with.rates[1], "[0, 1]");
    constexpr auto below_squares = 1e-18;  // numbers whose squares vanish
    auto const start =
        anew ? UpdateBounds{bounds_.theta, std::max(bounds_.theta, bounds_.averages)} : bounds_;
    auto next =
        start.template after<typename X::Scalar>(with.step, with.scale * (norm * (1 + 1e-6) + below_squares));
    if (!next)
      ranks_.together([&] {
        auto copy = state_;
        apply(with, copy);
        next = measured(copy,
                        "This is what the update would leave; the state is as before it. Lower the learning "
                        "rate, raise the optimizer's epsilon, or clip the gradient.");
      });
    apply(with, state_);
    bounds_ = *next;
  }

  void apply(Update const& with, TrainingState<X>& to) {
    if (with.anew) {
      to.first_moment.flat().fill(typename X::Scalar(0));
      to.second_moment.flat().fill(typename X::Scalar(0));
      to.averaged.flat().assign(to.theta.flat());
    }
    moment_update(with.step, with.scale, gradient_.flat(), to.first_moment.flat(), to.second_moment.flat(),
                  to.theta.flat(), {to.averaged.flat(), M::follows ? to.target->flat() : X{}}, with.rates);
  }

  double average_rate(Index number) const {
    auto const k = static_cast<double>(number);
    return settings_.ema_warmup ? std::min(settings_.ema, (1 + k) / (10 + k)) : settings_.ema;
  }

  [[noreturn]] static void refuse(std::string what, std::string found, std::string expected) {
    throw config_error{{.where = "Trainer",
                        .what = std::move(what),
                        .found = std::move(found),
                        .expected = std::move(expected),
                        .advice = ""}};
  }
  [[noreturn]] static void diverged(char const* what, double found, Index k) {
    throw numeric_error{{.where = "Trainer, step " + number_text(k),
                         .what = what,
                         .found = number_text(found),
                         .expected = "a finite number",
                         .advice =
                             "The state is as before this step. Lower the learning rate, clip the gradient, "
                             "check the data's range, and that times and weights of the method are finite."}};
  }

  Ranks<C> ranks_;
  M method_;
  O optimizer_;
  TrainerSettings settings_;
  Tape<X> tape_;
  Parameters<Variable<X>> theta_;
  Parameters<X> gradient_;
  TrainingState<X> state_;
  UpdateBounds bounds_;  // of state_
  X loss_{Shape{}};
  std::optional<Inputs> inputs_;
  Recorder<typename X::Backend> recorder_;
};

}  // namespace consistency
