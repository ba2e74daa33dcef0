// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include <consistency/autodiff/reverse.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/distributed/ranks.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/recorder.hpp>
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
  /// Throws numeric_error where it is not finite.
  double differentiate(M const& method, TrainingState<X> const& state, Batch<X> const& batch,
                       Share const& part, bool record) {
    auto const drawn = method.draw(batch.x0, state.step, state.key, part.first);
    if (record) {
      place({batch, drawn, part.weight});
      recorder_.run([&] { differentiate(method, state, *inputs_); });
    } else {
      differentiate(method, state, {batch, drawn, part.weight});
    }
    auto const value = static_cast<double>(to<Cpu>(loss_)[0]);
    require_finite("loss", value, state.step);
    return part.weight * value;
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

  /// Loss and gradient, without reading a number on the host.
  void differentiate(M const& method, TrainingState<X> const& state, Inputs const& in) {
    tape_.clear();
    gradient_.flat().fill(typename X::Scalar(0));
    theta_.watch(tape_, state.theta, gradient_);
    auto const& theta_minus = M::has_target ? *state.target : state.theta;
    auto const loss = method.loss(theta_, theta_minus, in.batch, in.drawn);  // ()
    loss_.assign(loss.value());
    if constexpr (Alone)
      tape_.backward(loss);
    else
      tape_.backward(evaluated(in.weight * loss));
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
