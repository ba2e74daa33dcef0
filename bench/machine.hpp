// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include <consistency/core/parallel.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>
#include <consistency/tensor/cpu/pack.hpp>

namespace bench {

namespace cm = consistency;

/// Every program's head and JSON say what it computes with.
inline bool const instructions_told =
    (benchmark::AddCustomContext("instructions", std::string{cm::cpu::instruction_set()}), true);

/// What the machine can do at most with the library's threads, per second.
struct Machine {
  double fma;    ///< float operations in fused multiply-adds, two each
  double copy;   ///< bytes read and written by y = x
  double triad;  ///< bytes read and written by z = x + a y

  double bandwidth() const { return std::max(copy, triad); }
};

/// Seconds since some fixed time.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median_seconds(auto const& work) {
  std::array<double, 7> seconds{};
  for (auto& s : seconds) {
    auto const start = now();
    work();
    s = now() - start;
  }
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

/// One chain x ← a x + b per index: enough of them to hide the latency of the instruction.
template <std::size_t... Chain>
float fma_chains(cm::Index rounds, double start, std::index_sequence<Chain...>) {
  using P = cm::Pack<float>;
  auto const a = P(0.999);
  auto const b = P(0.001);
  std::array<P, sizeof...(Chain)> x{P(start + static_cast<double>(Chain))...};
  for (cm::Index r = 0; r < rounds; ++r) ((x[Chain] = fma(x[Chain], a, b)), ...);
  return (sum(x[Chain]) + ...);
}

inline double fma_rate() {
  constexpr std::size_t chains = 12;
  constexpr cm::Index rounds = 100000;
  auto const pieces = 16 * static_cast<cm::Index>(cm::threads());
  auto const seconds = median_seconds([&] {
    cm::parallel_for(pieces, [](cm::Index piece) {  // each piece another start: none is a copy of another
      auto const start = static_cast<double>(piece);
      benchmark::DoNotOptimize(fma_chains(rounds, start, std::make_index_sequence<chains>{}));
    });
  });
  return static_cast<double>(pieces * rounds) * 2 * chains * cm::Pack<float>::width / seconds;
}

inline void triad(float const* x, float const* y, float* z, cm::Index n) {
  using P = cm::Pack<float>;
  for (cm::Index i = 0; i < n; i += P::width) fma(P::load(y + i), P(0.5), P::load(x + i)).store(z + i);
}

inline Machine measured() {
  std::ptrdiff_t bytes = 1 << 25;
  for (auto const& cache : benchmark::CPUInfo::Get().caches)
    bytes = std::max<std::ptrdiff_t>(bytes, cache.size);
  auto const n = 2 * bytes / cm::Index{sizeof(float)};  // three arrays: six times the largest cache
  std::array<std::unique_ptr<float[]>, 3> array;        // not from the pool, whose bytes are measured too
  for (auto& a : array) a = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(n));
  auto const* const x = array[0].get();
  auto* const y = array[1].get();
  auto* const z = array[2].get();

  auto const in_pieces = [&](auto const& body) { cm::parallel_ranges(n, cm::Index{1} << 18, body); };
  in_pieces([&](cm::Index begin, cm::Index end) {
    for (auto const& a : array) std::fill(a.get() + begin, a.get() + end, 1.0F);
  });
  auto const copy = median_seconds(
      [&] { in_pieces([&](cm::Index begin, cm::Index end) { std::copy(x + begin, x + end, y + begin); }); });
  auto const sum = median_seconds([&] {
    in_pieces([&](cm::Index begin, cm::Index end) { triad(x + begin, y + begin, z + begin, end - begin); });
  });
  benchmark::ClobberMemory();
  auto const size = static_cast<double>(n * cm::Index{sizeof(float)});
  return {.fma = fma_rate(), .copy = 2 * size / copy, .triad = 3 * size / sum};
}

/// Measured once per process for each number of threads, in about 0.4 s.
inline Machine const& machine() {
  static std::map<unsigned, Machine> known;
  auto const [at, fresh] = known.try_emplace(cm::threads());
  if (fresh) at->second = measured();
  return at->second;
}

}  // namespace bench
