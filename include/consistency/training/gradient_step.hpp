// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include <consistency/autodiff/reverse.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/distributed/ranks.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/recorder.hpp>
#include <consistency/training/trainer_settings.hpp>
#include <consistency/training/training_state.hpp>

namespace consistency {

/// Throws numeric_error unless a number that training step k computed is finite.
inline void require_finite(char const* what, double found, Index k) {
  if (!std::isfinite(found))
    fail<numeric_error>("Trainer, step " + number_text(k), what, number_text(found), "a finite number",
                        "The state is as before this step. Lower the learning rate, clip the gradient, "
                        "check the data's range, and that times and weights of the method are finite. "
                        "A TraceScope with StopAtNonFinite finds the operation.");
}

/// The gradient of a method's loss by θ. After the first step of a shape it allocates nothing; where the
/// backend can record, the work may be recorded at that step and sent again at later ones.
template <class M, class X, bool Alone>
class GradientStep {
 public:
  explicit GradientStep(ParameterTable const& table) : gradient_{table} {}

  /// What step k's batch (n, …), a part of one over all ranks, adds to their loss; `gradient()` is of that.
  /// Micro-batches have the noise of the whole: sample i draws as it would in one batch. Throws numeric_error
  /// where the loss is not finite.
  double differentiate(M const& method, TrainingState<X> const& state, Batch<X> const& batch,
                       Share const& part, TrainerSettings const& settings) {
    auto const n = batch.count();
    auto const at_once = settings.micro_batch > 0 ? std::min(settings.micro_batch, n) : n;
    double total = 0;
    if (at_once < n) gradient_.flat().fill(typename X::Scalar(0));
    for (Index begin = 0; begin < n; begin += at_once) {
      auto const count = std::min(at_once, n - begin);
      auto const some = count == n ? batch : batch.rows(begin, count);
      auto const weight =
          count == n ? part.weight : part.weight * static_cast<double>(count) / static_cast<double>(n);
      auto const first = part.first + static_cast<std::uint32_t>(begin);
      auto const drawn = method.draw(some.x0, state.step, state.key, first);
      if (settings.record) {
        place({some, drawn, weight});
        recorder_.run([&] { add_gradient(method, state, *inputs_, true); });
      } else {
        add_gradient(method, state, {some, drawn, weight}, count == n);
      }
      auto const value = static_cast<double>(to<Cpu>(loss_)[0]);
      require_finite("loss", value, state.step);
      total += weight * value;
    }
    return total;
  }

  X& gradient() noexcept { return gradient_.flat(); }              // (parameters)
  X const& gradient() const noexcept { return gradient_.flat(); }  // (parameters)

  /// Forgets the recording: it reads the memory of the state that it was made of.
  void forget() { recorder_.reset(); }

 private:
  using Drawn = decltype(std::declval<M const&>().draw(X{}, Index{}, Key{}, std::uint32_t{}));

  /// What a gradient is computed from, where a recording finds it.
  struct Inputs {
    Batch<X> batch;  // (n, …)
    Drawn drawn;
    double weight;
  };

  /// Loss, and the gradient added to what there is, without reading a number on the host. A gradient of all
  /// samples there are has weight 1.
  void add_gradient(M const& method, TrainingState<X> const& state, Inputs const& in, bool whole) {
    tape_.clear();
    if (whole) gradient_.flat().fill(typename X::Scalar(0));
    theta_.watch(tape_, state.theta, gradient_);
    auto const& theta_minus = M::has_target ? *state.target : state.theta;
    auto const loss = method.loss(theta_, theta_minus, in.batch, in.drawn);  // ()
    loss_.assign(loss.value());
    if (Alone && whole)
      tape_.backward(loss);
    else
      tape_.backward(evaluated(loss * in.weight));
    tape_.clear();
  }

  /// Inputs of the shape and weight that were recorded take the place of those; others begin a recording.
  void place(Inputs const& in) {
    if (inputs_ && inputs_->batch.same_shapes(in.batch) && inputs_->weight == in.weight) {
      inputs_->batch.assign(in.batch);
      inputs_->drawn.assign(in.drawn);
    } else {
      recorder_.reset();
      inputs_ = {in.batch.clone(), in.drawn.clone(), in.weight};
    }
    inputs_->drawn.mode.recorded = true;
  }

  Tape<X> tape_;
  Parameters<Variable<X>> theta_;
  Parameters<X> gradient_;
  X loss_{Shape{}};  // ()
  std::optional<Inputs> inputs_;
  Recorder<typename X::Backend> recorder_;
};

}  // namespace consistency
