// SPDX-License-Identifier: MIT
// Joining and cutting channels: skip connections, and q, k and v of attention.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

T image(benchmark::State const& state) {
  return cm::normal<float>({state.range(0), state.range(1), state.range(1), state.range(2)}, cm::Key{1});
}

void concat(benchmark::State& state) {
  auto const x = image(state), skip = image(state);
  auto const seconds = bench::measure(state, [&] { return concat(x, skip); });
  bench::traffic(state, seconds, 16 * x.count());
}

void slice(benchmark::State& state) {  // the first of three equal parts
  auto const x = image(state);
  auto const part = state.range(2) / 3;
  auto const seconds = bench::measure(state, [&] { return slice(x, 0, part); });
  bench::traffic(state, seconds, 8 * x.shape().rows() * part);
}

}  // namespace

BENCHMARK(concat)
    ->ArgNames({"n", "size", "channels"})
    ->Args({64, 14, 32})
    ->Args({32, 32, 32})
    ->Args({8, 32, 256})
    ->Args({1, 32, 256})
    ->UseRealTime();
BENCHMARK(slice)
    ->ArgNames({"n", "size", "channels"})
    ->Args({32, 8, 192})
    ->Args({8, 16, 768})
    ->Args({1, 16, 768})
    ->UseRealTime();
