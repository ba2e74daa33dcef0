// SPDX-License-Identifier: MIT
// Sums: over pixels (gradients of what each sample adds), over a sample (losses), over an arena (gradient
// norm).
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;

namespace {

void sum_over_pixels(benchmark::State& state) {
  auto const n = state.range(0), size = state.range(1), channels = state.range(2);
  auto const x = cm::normal<float>({n, size, size, channels}, cm::Key{1});
  auto const seconds = bench::measure(state, [&] { return sum_to(x, {n, 1, 1, channels}); });
  bench::traffic(state, seconds, 4 * x.count());
}

void sum_per_sample(benchmark::State& state) {
  auto const x = cm::normal<float>({state.range(0), 32, 32, 3}, cm::Key{1});
  auto const seconds = bench::measure(state, [&] { return sum_per_sample(x); });
  bench::traffic(state, seconds, 4 * x.count());
}

void sum(benchmark::State& state) {
  auto const x = cm::Tensor<float>{{state.range(0)}, 1.0F};
  auto const seconds = bench::measure(state, [&] { return sum(x); });
  bench::traffic(state, seconds, 4 * x.count());
}

}  // namespace

BENCHMARK(sum_over_pixels)
    ->ArgNames({"n", "size", "channels"})
    ->Args({64, 14, 32})
    ->Args({32, 32, 32})
    ->Args({8, 32, 256})
    ->UseRealTime();
BENCHMARK(sum_per_sample)->ArgName("n")->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK(sum)->ArgName("count")->Arg(1'700'000)->Arg(55'000'000)->UseRealTime();
