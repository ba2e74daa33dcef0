// SPDX-License-Identifier: MIT
// One evaluation of whole networks: one-step sampling.
#include <consistency/consistency.hpp>

#include "arithmetic.hpp"
#include "counters.hpp"
#include "descriptions.hpp"

namespace cm = consistency;

namespace {

template <auto network>
void evaluation(benchmark::State& state) {
  auto const n = state.range(0);
  auto const f = cm::ConsistencyFunction{network()};
  auto const operations = bench::evaluation_operations(f.network(), n);
  auto const theta = cm::PreparedParameters{f.initialize(cm::Key{1})};
  auto const draw = [&] { return cm::sample(f, theta, cm::OneStep{}, {.seed = 1, .count = n}); };
  cm::MemoryPool::instance().trim();
  draw();
  auto const seconds = bench::measure(state, draw);
  bench::images(state, seconds, n);
  bench::arithmetic(state, seconds, operations);
  bench::pool_peak(state);
}

void setting(benchmark::internal::Benchmark* b) {
  b->ArgName("n")->UseRealTime()->Unit(benchmark::kMillisecond);
}

}  // namespace

BENCHMARK(evaluation<bench::demo_unet>)->Apply(setting)->Arg(1)->Arg(64);
BENCHMARK(evaluation<bench::small_unet>)->Apply(setting)->Arg(1)->Arg(8)->Arg(32)->Arg(64);
BENCHMARK(evaluation<bench::ddpmpp>)->Apply(setting)->Arg(1)->Arg(8);
