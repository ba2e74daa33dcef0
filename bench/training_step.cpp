// Whole training steps and sampling calls of the demo's U-Net.
#include <benchmark/benchmark.h>

#include <consistency/consistency.hpp>

namespace cm = consistency;

namespace {

cm::ConsistencyFunction<cm::UNet> function() {
  return cm::ConsistencyFunction{cm::UNet{{.channels = 32, .multipliers = {1, 2}, .heads = 2, .patch = 2}}};
}

void images_per_second(benchmark::State& state, cm::Index images) {
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(images), benchmark::Counter::kIsIterationInvariantRate);
}

void consistency_training(benchmark::State& state) {
  auto const f = function();
  cm::set_threads(static_cast<unsigned>(state.range(0)));
  cm::Trainer trainer{cm::ConsistencyTraining{f, cm::PseudoHuber::for_dimensions(784), cm::GapTimes{}},
                      cm::RAdam{}, f.initialize(cm::Key{1})};
  cm::Tensor<float> const batch = 0.5 * cm::normal<float>({64, 28, 28, 1}, cm::Key{2});
  for (auto _ : state) trainer.step(batch);
  images_per_second(state, 64);
  state.counters["peak MB"] = static_cast<double>(cm::MemoryPool::instance().peak_bytes()) * 1e-6;
}

void one_step_sampling(benchmark::State& state) {
  auto const f = function();
  auto const theta = f.initialize(cm::Key{1});
  for (auto _ : state)
    benchmark::DoNotOptimize(cm::sample(f, theta, cm::OneStep{}, {.seed = 1, .count = state.range(0)}));
  images_per_second(state, state.range(0));
}

}  // namespace

BENCHMARK(consistency_training)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(one_step_sampling)->Arg(1)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);
