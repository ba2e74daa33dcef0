// SPDX-License-Identifier: MIT
// Chains of element-wise operations, each one pass over memory.
#include <numbers>

#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

T image(benchmark::State const& state, std::uint32_t stream) {
  auto const n = state.range(0), size = state.range(1), channels = state.range(2);
  return cm::normal<float>({n, size, size, channels}, cm::Key{1, stream});
}

/// A sample moved by its own time, as solvers and losses do.
void moved(benchmark::State& state) {
  auto const x = image(state, 1), y = image(state, 2);
  auto const t = cm::normal<float>(x.shape().per_sample(), cm::Key{1, 3});
  auto const seconds = bench::measure(state, [&] { return evaluated(x + t * (y - 0.5 * x)); });
  bench::traffic(state, seconds, 12 * x.count());
}

/// The end of a residual block.
void residual(benchmark::State& state) {
  auto const x = image(state, 1), y = image(state, 2);
  auto const seconds = bench::measure(state, [&] { return evaluated(std::numbers::sqrt2 / 2 * (x + y)); });
  bench::traffic(state, seconds, 12 * x.count());
}

void activation(benchmark::State& state) {
  auto const x = image(state, 1);
  auto const seconds = bench::measure(state, [&] { return evaluated(silu(x)); });
  bench::traffic(state, seconds, 8 * x.count());
}

void activation_forward_and_backward(benchmark::State& state) {
  auto const x = image(state, 1), g = image(state, 2);
  cm::Tape<T> tape;
  auto const seconds = bench::measure(state, [&] {
    tape.clear();
    auto const v = tape.watch(x);
    tape.backward(evaluated(silu(v)), g);
    return tape.gradient(v);
  });
  bench::traffic(state, seconds, 20 * x.count());
}

void accumulate(benchmark::State& state) {
  auto total = image(state, 1);
  auto const g = image(state, 2);
  auto const seconds = bench::measure(state, [&] { accumulate_into(total, g); });
  bench::traffic(state, seconds, 12 * g.count());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "size", "channels"})->UseRealTime();
  b->Args({64, 14, 32})->Args({32, 32, 32})->Args({8, 32, 256})->Args({1, 32, 256});
}

}  // namespace

BENCHMARK(moved)->Apply(shapes);
BENCHMARK(residual)->Apply(shapes);
BENCHMARK(activation)->Apply(shapes);
BENCHMARK(activation_forward_and_backward)->Apply(shapes);
BENCHMARK(accumulate)->Apply(shapes);
