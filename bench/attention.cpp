// SPDX-License-Identifier: MIT
// Self-attention between its projections: softmax(q kᵀ / √depth) v, forward and with its gradients.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

struct Tokens {
  cm::Index n, count, channels;
  explicit Tokens(benchmark::State const& state)
      : n{state.range(0)}, count{state.range(1) * state.range(1)}, channels{state.range(2)} {}

  T draws(std::uint32_t stream) const { return cm::normal<float>({n, count, channels}, cm::Key{1, stream}); }
  cm::Index operations() const { return 4 * n * count * count * channels; }  // of two products
};

void forward(benchmark::State& state) {
  auto const tokens = Tokens{state};
  auto const q = tokens.draws(1), k = tokens.draws(2), v = tokens.draws(3);
  auto const seconds = bench::measure(state, [&] { return attention(q, k, v); });
  bench::arithmetic(state, seconds, tokens.operations());
}

void forward_and_backward(benchmark::State& state) {
  auto const tokens = Tokens{state};
  auto const q = tokens.draws(1), k = tokens.draws(2), v = tokens.draws(3), g = tokens.draws(4);
  cm::Tape<T> tape;
  auto const seconds = bench::measure(state, [&] {
    tape.clear();
    auto const q1 = tape.watch(q), k1 = tape.watch(k), v1 = tape.watch(v);
    tape.backward(attention(q1, k1, v1), g);
    return tape.gradient(q1);
  });
  bench::arithmetic(state, seconds, 3 * tokens.operations());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "size", "channels"})->UseRealTime();
  b->Args({1, 16, 256})->Args({8, 16, 256})->Args({1, 8, 64})->Args({8, 8, 64})->Args({1, 64, 64});
}

}  // namespace

BENCHMARK(forward)->Name("attention/forward")->Apply(shapes);
BENCHMARK(forward_and_backward)->Name("attention/forward_and_backward")->Apply(shapes);
