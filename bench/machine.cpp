// SPDX-License-Identifier: MIT
// The ceilings that every other benchmark is measured against, for each number of threads.
#include "machine.hpp"

#include <algorithm>
#include <thread>

namespace {

void ceilings(benchmark::State& state) {
  consistency::set_threads(static_cast<unsigned>(state.range(0)));
  for (auto _ : state) {
    auto const& m = bench::machine();
    state.counters["GFLOP/s"] = m.fma * 1e-9;
    state.counters["copy GB/s"] = m.copy * 1e-9;
    state.counters["triad GB/s"] = m.triad * 1e-9;
  }
}

}  // namespace

BENCHMARK(ceilings)
    ->ArgName("threads")
    ->DenseRange(1, std::max(1U, std::thread::hardware_concurrency()))
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
