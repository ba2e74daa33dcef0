// SPDX-License-Identifier: MIT
// Group normalisation, forward and backward: plain, with SiLU, and with each sample's own scale and shift.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;

namespace {

struct Variant {
  bool silu = false, own = false, backward = false;
};

void group_norm(benchmark::State& state, Variant variant) {
  auto const n = state.range(0), size = state.range(1), channels = state.range(2);
  auto const op = cm::op::GroupNorm{.groups = state.range(3), .silu = variant.silu};
  auto const key = cm::Key{1};
  auto const x = cm::normal<float>({n, size, size, channels}, key), g = cm::normal<float>(x.shape(), key);
  auto const a = cm::normal<float>(variant.own ? cm::Shape{n, 1, 1, channels} : cm::Shape{channels}, key);
  auto const forward = [&] { return group_norm(x, a, a, op); };
  auto const backward = [&] {
    return cm::Kernel<cm::op::GroupNorm, cm::Cpu>::vjp(op, {true, true, true}, {}, g, x, a, a);
  };
  auto const seconds = variant.backward ? bench::measure(state, backward) : bench::measure(state, forward);
  bench::traffic(state, seconds, (variant.backward ? 12 : 8) * x.count());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "size", "channels", "groups"})->UseRealTime();
  b->Args({64, 14, 32, 8})->Args({64, 7, 64, 8})->Args({32, 32, 32, 8})->Args({32, 16, 64, 8});
  b->Args({8, 32, 256, 32})->Args({8, 16, 256, 32})->Args({1, 32, 256, 32})->Args({1, 16, 256, 32});
}

}  // namespace

BENCHMARK_CAPTURE(group_norm, plain, {})->Apply(shapes);
BENCHMARK_CAPTURE(group_norm, silu, {.silu = true})->Apply(shapes);
BENCHMARK_CAPTURE(group_norm, modulated, {.silu = true, .own = true})->Apply(shapes);
BENCHMARK_CAPTURE(group_norm, plain_backward, {.backward = true})->Apply(shapes);
BENCHMARK_CAPTURE(group_norm, silu_backward, {.silu = true, .backward = true})->Apply(shapes);
BENCHMARK_CAPTURE(group_norm, modulated_backward, {.silu = true, .own = true, .backward = true})
    ->Apply(shapes);
