// SPDX-License-Identifier: MIT
// Products over the last axis: 1×1 convolutions (skips, qkv and output of attention) and time embeddings.
#include <array>

#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;

namespace {

enum class Part { forward, data, weights };

void linear(benchmark::State& state, Part part) {
  auto const rows = state.range(0), in = state.range(1), out = state.range(2);
  auto const key = cm::Key{1};
  auto const x = cm::normal<float>({rows, in}, key), w = cm::normal<float>({in, out}, key),
             b = cm::normal<float>({out}, key), g = cm::normal<float>({rows, out}, key);
  auto const wanted = std::array{part == Part::data, part == Part::weights};
  auto const forward = [&] { return linear(x, w, b); };
  auto const backward = [&] { return cm::Kernel<cm::op::Linear, cm::Cpu>::vjp({}, wanted, {}, g, x, w); };
  auto const seconds =
      part == Part::forward ? bench::measure(state, forward) : bench::measure(state, backward);
  bench::arithmetic(state, seconds, 2 * rows * in * out);
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "in", "out"})->UseRealTime();
  auto const add = [b](cm::Index rows, cm::Index in, cm::Index out) { b->Args({rows, in, out}); };
  add(64 * 14 * 14, 64, 32), add(32 * 16 * 16, 128, 64), add(32 * 8 * 8, 64, 192);  // small U-Nets
  add(8 * 32 * 32, 512, 256), add(8 * 16 * 16, 512, 256), add(16 * 16, 512, 256);   // skips of DDPM++
  add(8 * 16 * 16, 256, 768), add(16 * 16, 256, 768), add(16 * 16, 256, 256);       // its attention
  add(64, 128, 128), add(8, 512, 512), add(1, 512, 512);                            // times
}

}  // namespace

BENCHMARK_CAPTURE(linear, forward, Part::forward)->Apply(shapes);
BENCHMARK_CAPTURE(linear, data, Part::data)->Apply(shapes);
BENCHMARK_CAPTURE(linear, weights, Part::weights)->Apply(shapes);
