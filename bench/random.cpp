// SPDX-License-Identifier: MIT
// Normal draws: Philox, then Box and Muller.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;

namespace {

void normal(benchmark::State& state) {
  auto const shape = cm::Shape{state.range(0), state.range(1), state.range(1), state.range(2)};
  auto const seconds = bench::measure(state, [&] { return cm::normal<float>(shape, cm::Key{1}); });
  state.counters["draws/s"] = static_cast<double>(shape.count()) / seconds;
}

}  // namespace

BENCHMARK(normal)
    ->ArgNames({"n", "size", "channels"})
    ->Args({64, 28, 1})
    ->Args({64, 32, 3})
    ->Args({1, 32, 3})
    ->UseRealTime();
