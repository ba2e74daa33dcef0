#include "unet_run.hpp"

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/adaptive_ema_target.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/radam.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency::test {

namespace {

auto unet_trainer(std::uint64_t seed) {
  auto const f = ConsistencyFunction{UNet{{.channels = 16,
                                           .blocks = 1,
                                           .attention = {8},
                                           .heads = 2,
                                           .dropout = 0.2,
                                           .embedding = 32,
                                           .image = {16, 16, 1}}}};
  auto const method = ConsistencyTraining{f, PseudoHuber{}, GridTimes<AdaptiveSteps>{.curriculum = {.K = 50}},
                                          UniformWeighting{}, AdaptiveEmaTarget{}};
  return Trainer{
      method, RAdam{.learning_rate = 1e-3}, f.initialize({seed}), {.ema = 0.99, .clip = 5, .key = {seed}}};
}

}  // namespace

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
