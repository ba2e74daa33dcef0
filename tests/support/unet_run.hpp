// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency::test {

/// The training of a small U-Net with all that has a state: dropout, a growing grid, a target and an average
/// that follow. Large enough that its loops are cut among threads. Compiled once for all rooms.
class UNetRun {
 public:
  explicit UNetRun(std::uint64_t seed);
  UNetRun(UNetRun const&) = delete;
  UNetRun& operator=(UNetRun const&) = delete;
  ~UNetRun();

  ParameterTable const& table() const;
  TrainingState<Tensor<float>> const& state() const;
  void resume(TrainingState<Tensor<float>> const& state);
  /// The next step, on the data that belong to it.
  StepReport step();
  /// The next step on any data.
  StepReport step(Tensor<float> const& batch);
  Tensor<float> samples(OneStep const& sampler, SampleSettings const& settings) const;
  Tensor<float> samples(Multistep const& sampler, SampleSettings const& settings) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The data of step k.
Tensor<float> unet_batch(Index k);

}  // namespace consistency::test
