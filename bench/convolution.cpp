// SPDX-License-Identifier: MIT
// Convolutions of the U-Nets: forward, and the gradients for the data and for the weights.
#include <array>

#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;

namespace {

enum class Part { forward, data, weights };

void convolution(benchmark::State& state, Part part) {
  auto const n = state.range(0), size = state.range(1), in = state.range(2), out = state.range(3),
             k = state.range(4);
  auto const op = cm::op::Conv2d{.stride = state.range(5)};
  auto const key = cm::Key{1};
  auto const x = cm::normal<float>({n, size, size, in}, key), w = cm::normal<float>({k, k, in, out}, key),
             b = cm::normal<float>({out}, key);
  auto const g = cm::normal<float>(op.result(x.shape(), w.shape()), key);
  auto const wanted = std::array{part == Part::data, part == Part::weights};
  auto const forward = [&] { return conv2d(x, w, b, op.stride); };
  auto const backward = [&] { return cm::Kernel<cm::op::Conv2d, cm::Cpu>::vjp(op, wanted, {}, g, x, w); };
  auto const seconds =
      part == Part::forward ? bench::measure(state, forward) : bench::measure(state, backward);
  bench::arithmetic(state, seconds, 2 * k * k * in * g.count());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "size", "in", "out", "kernel", "stride"})->UseRealTime();
  auto const add = [b](cm::Index n, cm::Index size, cm::Index in, cm::Index out, cm::Index kernel = 3,
                       cm::Index stride = 1) {
    b->Args({n, size, in, out, kernel, stride});
  };
  add(64, 14, 32, 32), add(64, 7, 64, 64);  // the demo's network
  add(32, 32, 32, 32), add(32, 16, 64, 64);
  add(8, 32, 3, 128), add(8, 32, 128, 256);  // DDPM++
  for (auto const n : {8, 1})
    for (auto const size : {32, 16, 8}) add(n, size, 256, 256);
  add(32, 32, 32, 64, 3, 2), add(32, 32, 32, 32, 5);
}

}  // namespace

BENCHMARK_CAPTURE(convolution, forward, Part::forward)->Apply(shapes);
BENCHMARK_CAPTURE(convolution, data, Part::data)->Apply(shapes);
BENCHMARK_CAPTURE(convolution, weights, Part::weights)->Apply(shapes);
