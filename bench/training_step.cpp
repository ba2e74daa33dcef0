// SPDX-License-Identifier: MIT
// Whole steps of consistency training, by number of threads.
#include <algorithm>
#include <thread>

#include <consistency/consistency.hpp>

#include "arithmetic.hpp"
#include "counters.hpp"
#include "descriptions.hpp"

namespace cm = consistency;

namespace {

template <auto network>
void consistency_training(benchmark::State& state) {
  static double alone = 0;  // seconds of a step with one thread, which is measured first
  auto const n = state.range(0);
  cm::set_threads(static_cast<unsigned>(state.range(1)));
  auto const f = cm::ConsistencyFunction{network()};
  auto const image = f.network().data_shape();
  // f, its target, and the backward pass, which is two products for each of f's.
  auto const operations = 4 * bench::evaluation_operations(f.network(), n);
  cm::MemoryPool::instance().trim();
  cm::Trainer trainer{
      cm::ConsistencyTraining{
          .f = f, .metric = cm::PseudoHuber::for_dimensions(image.count()), .times = cm::GapTimes{}},
      cm::RAdam{}, f.initialize(cm::Key{1})};
  cm::Tensor<float> const batch = 0.5 * cm::normal<float>({n, image[0], image[1], image[2]}, cm::Key{2});
  trainer.step(batch);
  auto const seconds = bench::measure(state, [&] { trainer.step(batch); });
  if (state.range(1) == 1) alone = seconds;
  if (alone > 0) state.counters["scaling"] = alone / seconds;
  bench::images(state, seconds, n);
  bench::arithmetic(state, seconds, operations);
  bench::pool_peak(state);
}

template <cm::Index batch>
void settings(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);
  auto const cores = std::max(1U, std::thread::hardware_concurrency());
  for (auto threads = 1U; threads < cores; threads *= 2) b->Args({batch, threads});
  b->Args({batch, cores});
}

}  // namespace

BENCHMARK(consistency_training<bench::demo_unet>)->Apply(settings<64>);
BENCHMARK(consistency_training<bench::small_unet>)->Apply(settings<32>);
BENCHMARK(consistency_training<bench::ddpmpp_recomputed>)->Apply(settings<8>)->Iterations(1);
BENCHMARK(consistency_training<bench::ddpmpp>)->Apply(settings<8>)->Iterations(1);
