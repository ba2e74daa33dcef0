// SPDX-License-Identifier: MIT
// Batches of 64 images of 32×32, plain, mirrored and augmented, beside a training step of a small network on
// them: data should not hold a step back.

#include <cstdint>

#include <benchmark/benchmark.h>

#include <consistency/consistency.hpp>
#include <consistency/data/augmented_batches.hpp>
#include <consistency/data/batches.hpp>

namespace {

using namespace consistency;

ImageBatches images() {
  ImageSet set{.count = 1024, .height = 32, .width = 32, .channels = 3, .pixels = {}, .labels = {}};
  for (Index i = 0; i < set.count * set.image_size(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 31 % 251));
  return {set, 64, Key{1}};
}

void batches(benchmark::State& state, auto make) {
  auto of = make();
  Index k = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Batch<Tensor<float>>{of(k++)}.x0.data());
}
BENCHMARK_CAPTURE(batches, plain, [] { return images(); })->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(batches, mirrored,
                  [] {
                    return AugmentedBatches{images(), {.rate = 0, .labelled = false}, Key{2}};
                  })
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(batches, augmented,
                  [] {
                    return AugmentedBatches{images(), {}, Key{2}};
                  })
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void step(benchmark::State& state) {
  UNet const net{{.channels = 32, .patch = 2, .image = {32, 32, 3}}};
  ConsistencyFunction const f{net};
  Trainer trainer{ConsistencyTraining{.f = f, .times = GapTimes{}, .weighting = InverseGapWeighting{}},
                  RAdam{}, f.initialize(Key{3})};
  auto of = images();
  auto const x = of(0);
  for (auto _ : state) benchmark::DoNotOptimize(trainer.step(x).loss);
}
BENCHMARK(step)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
