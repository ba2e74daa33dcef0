// Hot operations at the shapes of the demo's U-Net: GFLOP/s counts the arithmetic of the direct algorithm.
#include <benchmark/benchmark.h>

#include <consistency/consistency.hpp>

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

T draws(cm::Shape shape) { return cm::normal<float>(shape, cm::Key{1}); }

void rate(benchmark::State& state, double per_iteration, char const* name) {
  state.counters[name] =
      benchmark::Counter(per_iteration * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void convolution(benchmark::State& state, int which) {
  auto const n = state.range(0), size = state.range(1), channels = state.range(2);
  auto const x = draws({n, size, size, channels}), w = draws({3, 3, channels, channels}),
             b = draws({channels});
  auto const op = cm::op::Conv2d{};
  for (auto _ : state) {
    if (which == 0) {
      benchmark::DoNotOptimize(conv2d(x, w, b));
    } else {
      benchmark::DoNotOptimize(
          cm::Kernel<cm::op::Conv2d, cm::Cpu>::vjp(op, {which == 1, which == 2, false}, x, x, w));
    }
  }
  rate(state, 18.0 * static_cast<double>(n * size * size * channels * channels), "GFLOP/s");
}

void shapes(benchmark::internal::Benchmark* b) {
  b->Args({64, 14, 32})
      ->Args({64, 7, 64})
      ->Args({8, 32, 128})
      ->Args({8, 16, 256})
      ->Args({1, 16, 256})
      ->UseRealTime();
}

void group_norm_silu(benchmark::State& state) {
  auto const x = draws({64, 14, 14, 64}), a = draws({64});
  for (auto _ : state) benchmark::DoNotOptimize(group_norm(x, a, a, {.groups = 8, .silu = true}));
  rate(state, 8.0 * static_cast<double>(x.count()), "GB/s");
}

void chain(benchmark::State& state) {
  auto const x = draws({64, 28, 28, 64}), y = draws({64, 28, 28, 64}), t = draws({64, 1, 1, 1});
  for (auto _ : state) {
    T const z = x + t * (y - 0.5 * x);
    benchmark::DoNotOptimize(z.data());
  }
  rate(state, 12.0 * static_cast<double>(x.count()), "GB/s");
}

}  // namespace

BENCHMARK_CAPTURE(convolution, forward, 0)->Apply(shapes);
BENCHMARK_CAPTURE(convolution, backward_data, 1)->Apply(shapes);
BENCHMARK_CAPTURE(convolution, backward_weights, 2)->Apply(shapes);
BENCHMARK(group_norm_silu)->UseRealTime();
BENCHMARK(chain)->UseRealTime();
