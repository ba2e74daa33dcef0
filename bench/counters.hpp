// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <benchmark/benchmark.h>

#include <consistency/core/memory.hpp>

#include "machine.hpp"

namespace bench {

/// Calls work() as often as the benchmark asks; returns the seconds of one call.
double measure(benchmark::State& state, auto const& work) {
  auto const start = now();
  for (auto _ : state) {
    if constexpr (std::same_as<decltype(work()), void>) {
      work();
    } else {
      benchmark::DoNotOptimize(work());
    }
  }
  return (now() - start) / static_cast<double>(state.iterations());
}

/// For calls of so many floating-point operations, counted by the direct algorithm: a faster one may exceed
/// the peak.
inline void arithmetic(benchmark::State& state, double seconds, double operations) {
  state.counters["GFLOP/s"] = operations / seconds * 1e-9;
  state.counters["of peak"] = operations / seconds / machine().fma;
}
inline void arithmetic(benchmark::State& state, double seconds, cm::Index operations) {
  arithmetic(state, seconds, static_cast<double>(operations));
}

/// For calls that must read and write so many bytes, however they are computed: what stays in cache may
/// exceed the bandwidth.
inline void traffic(benchmark::State& state, double seconds, cm::Index bytes) {
  auto const rate = static_cast<double>(bytes) / seconds;
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["of bandwidth"] = rate / machine().bandwidth();
}

inline void images(benchmark::State& state, double seconds, cm::Index count) {
  state.counters["images/s"] = static_cast<double>(count) / seconds;
}

/// What the pool has taken from the system since it was last trimmed, and what was in use then.
inline void pool_peak(benchmark::State& state) {
  state.counters["pool peak MB"] = static_cast<double>(cm::MemoryPool::instance().reserved_bytes()) * 1e-6;
}

}  // namespace bench
