// SPDX-License-Identifier: MIT
// One step of each training method on the demo's network, and what it costs beside consistency training.
#include <consistency/consistency.hpp>

#include "counters.hpp"
#include "descriptions.hpp"

namespace cm = consistency;

namespace {

constexpr cm::Index n = 64;

auto student() { return cm::ConsistencyFunction{bench::demo_unet()}; }
auto denoiser() { return cm::Denoiser{bench::demo_unet()}; }
auto teacher() { return cm::TeacherVelocity{denoiser(), denoiser().initialize(cm::Key{5})}; }

auto consistency_training() {
  return cm::ConsistencyTraining{
      .f = student(), .metric = cm::L2{}, .times = cm::GridTimes<cm::FixedSteps>{}};
}
auto distillation_by_euler() {
  return cm::ConsistencyDistillation{.f = student(), .velocity = teacher(), .solver = cm::Euler{}};
}
auto distillation_by_heun() {
  return cm::ConsistencyDistillation{.f = student(), .velocity = teacher(), .solver = cm::Heun{}};
}
auto continuous_training() { return cm::ContinuousConsistencyTraining{.f = student()}; }
auto continuous_distillation() {
  return cm::ContinuousConsistencyDistillation{.f = student(), .velocity = teacher()};
}
auto progressive_distillation() {
  return cm::ProgressiveDistillation{.f = denoiser(), .times = cm::ProgressiveTimes{.start = 8}};
}
auto denoiser_training() { return cm::DenoiserTraining{.f = denoiser()}; }
auto flow_map() {
  auto settings = bench::demo_unet().settings();
  settings.condition.second_time = cm::SecondTime::gap;
  return cm::FlowMap{cm::UNet{settings}};
}
auto mean_flow() { return cm::MeanFlow{.f = flow_map()}; }
auto progressive_self_distillation() { return cm::ProgressiveSelfDistillation{.f = flow_map()}; }
auto lagrangian_self_distillation() { return cm::LagrangianSelfDistillation{.f = flow_map()}; }
auto terminal_velocity_matching() { return cm::TerminalVelocityMatching{.f = flow_map()}; }
auto simplified_consistency_training() {
  return cm::SimplifiedConsistencyTraining{
      .f = cm::ConsistencyFunction{bench::demo_unet(), cm::Trigonometric{}}};
}

template <auto make>
void step(benchmark::State& state) {
  auto const method = make();
  auto const reference = consistency_training();
  auto trainer = cm::Trainer{method, cm::RAdam{}, method.f.initialize(cm::Key{1})};
  auto beside = cm::Trainer{reference, cm::RAdam{}, reference.f.initialize(cm::Key{1})};
  cm::Tensor<float> const batch = 0.5 * cm::normal<float>({n, 28, 28, 1}, cm::Key{2});
  trainer.step(batch);
  beside.step(batch);
  double own = 0;
  double training = 0;  // in turns, so that noise hits both
  for (auto _ : state) {
    auto const start = bench::now();
    trainer.step(batch);
    auto const middle = bench::now();
    own += middle - start;
    state.PauseTiming();
    auto const again = bench::now();
    beside.step(batch);
    training += bench::now() - again;
    state.ResumeTiming();
  }
  state.counters["of CT"] = own / training;
  bench::images(state, own / static_cast<double>(state.iterations()), n);
}

}  // namespace

#define METHOD(make) BENCHMARK(step<make>)->Name(#make)->UseRealTime()->Unit(benchmark::kMillisecond)
METHOD(consistency_training);
METHOD(distillation_by_euler);
METHOD(distillation_by_heun);
METHOD(continuous_training);
METHOD(continuous_distillation);
METHOD(progressive_distillation);
METHOD(denoiser_training);
METHOD(mean_flow);
METHOD(progressive_self_distillation);
METHOD(lagrangian_self_distillation);
METHOD(terminal_velocity_matching);
METHOD(simplified_consistency_training);
