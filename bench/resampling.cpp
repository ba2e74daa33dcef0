// SPDX-License-Identifier: MIT
// Changes of resolution: the gradient of each is another of them.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

void resampling(benchmark::State& state, T (*map)(T const&)) {
  auto const n = state.range(0), size = state.range(1), channels = state.range(2);
  auto const x = cm::normal<float>({n, size, size, channels}, cm::Key{1});
  auto const bytes = 4 * (x.count() + map(x).count());
  auto const seconds = bench::measure(state, [&] { return map(x); });
  bench::traffic(state, seconds, bytes);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "size", "channels"})->UseRealTime();
  b->Args({64, 14, 64})->Args({32, 16, 64})->Args({8, 16, 256})->Args({1, 16, 256});
}

}  // namespace

BENCHMARK_CAPTURE(resampling, upsample, [](T const& x) { return upsample(x); })->Apply(shapes);
BENCHMARK_CAPTURE(resampling, blur, [](T const& x) { return blur(x); })->Apply(shapes);
BENCHMARK_CAPTURE(resampling, downsample, [](T const& x) { return downsample(x); })->Apply(shapes);
BENCHMARK_CAPTURE(resampling, space_to_depth, [](T const& x) { return space_to_depth(x, 2); })->Apply(shapes);
BENCHMARK_CAPTURE(resampling, depth_to_space, [](T const& x) { return depth_to_space(x, 2); })->Apply(shapes);
