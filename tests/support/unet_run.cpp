// SPDX-License-Identifier: MIT
#include "unet_run.hpp"

#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>

#include "unet_trainer.hpp"

namespace consistency::test {

struct UNetRun::Parts {
  decltype(unet_trainer(0)) trainer;
};

UNetRun::UNetRun(std::uint64_t seed) : parts_{new Parts{unet_trainer(seed)}} {}
UNetRun::~UNetRun() = default;

ParameterTable const& UNetRun::table() const { return parts_->trainer.method().f.network().parameters(); }
TrainingState<Tensor<float>> const& UNetRun::state() const { return parts_->trainer.state(); }
void UNetRun::resume(TrainingState<Tensor<float>> const& state) { parts_->trainer.resume(state); }
StepReport UNetRun::step() { return step(unet_batch(state().step)); }
StepReport UNetRun::step(Tensor<float> const& batch) { return parts_->trainer.step(batch); }
Tensor<float> UNetRun::samples(OneStep const& sampler, SampleSettings const& settings) const {
  return sample(parts_->trainer.method().f, state().averaged, sampler, settings);
}
Tensor<float> UNetRun::samples(Multistep const& sampler, SampleSettings const& settings) const {
  return sample(parts_->trainer.method().f, state().averaged, sampler, settings);
}

Tensor<float> unet_batch(Index k) {
  return 0.5 * normal<float>({16, 16, 16, 1}, {4, 1000}, {static_cast<std::uint32_t>(k), 0});
}

}  // namespace consistency::test
