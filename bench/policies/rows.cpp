// SPDX-License-Identifier: MIT
// What a training step of each combination costs, on vectors of 49 numbers.
#include "../../tests/allocation/counts.hpp"
#include "../counters.hpp"
#include "combination.hpp"

namespace {

using namespace policies;

constexpr Index n = 64;

void step(benchmark::State& state, Combination const& combination) {
  MemoryPool::instance().trim();
  auto const network = Mlp{{.dimensions = 49}};
  auto const D = Denoiser{network};
  auto const theta = D.initialize(Key{1});
  Tensor<float> const batch = 0.5 * normal<float>({n, 49}, Key{2});
  auto const model =
      combination.make({network, D, theta, theta, map_of(network).initialize(Key{1}), 100000}, 0);
  for (int i = 0; i < 3; ++i) model->step(batch);  // the first of a shape asks for memory
  auto const before = test::now();
  auto const start = bench::now();
  for (auto _ : state) model->step(batch);
  auto const seconds = (bench::now() - start) / static_cast<double>(state.iterations());
  auto const after = test::now();
  state.counters["allocations"] =  // of the heap, and of the system for the pool
      static_cast<double>(after.heap - before.heap + static_cast<long>(after.pool - before.pool)) /
      static_cast<double>(state.iterations());
  bench::pool_peak(state);
  bench::images(state, seconds, n);
}

}  // namespace

int main(int argc, char** argv) {
  for (auto const& combination : registry())
    benchmark::RegisterBenchmark(combination.name().c_str(), step, combination)
        ->UseRealTime()
        ->MinTime(0.1)
        ->Unit(benchmark::kMillisecond);
  set_threads(1);  // a step this small is not shared
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
