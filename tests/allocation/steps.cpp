// SPDX-License-Identifier: MIT
#include <cstdlib>

#include <doctest/doctest.h>

#include <consistency/core/memory.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>

#include "../support/unet_run.hpp"
#include "counts.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("allocations are counted, by new and by malloc") {
  now();  // makes the pool
  auto const before = now();
  auto* volatile number = new int{1};
  delete number;
  void* volatile memory = std::malloc(100);
  std::free(memory);
  void* volatile aligned = std::aligned_alloc(64, 640);
  std::free(aligned);
  auto const after = now();
  CHECK(after.heap - before.heap == (counts_heap() ? 3 : 0));
}

TEST_CASE("after the first steps of a shape a training step asks for no memory") {
  set_threads(1);
  UNetRun run{3};
  auto const batch = unet_batch(0);
  for (int i = 0; i < 2; ++i) run.step(batch);
  auto const before = now();
  for (int i = 0; i < 10; ++i) run.step(batch);
  auto const after = now();
  CHECK(after.heap - before.heap == 0);
  CHECK(after.pool - before.pool == 0);
}

TEST_CASE("after the first samples of a shape sampling asks for no memory") {
  set_threads(1);
  UNetRun const run{4};
  auto const check = [&](auto const& sampler) {
    auto const draw = [&](std::uint64_t seed) {
      run.samples(sampler, {.seed = seed, .count = 20, .batch = 8});
    };
    draw(0);
    auto const before = now();
    for (std::uint64_t seed = 1; seed < 5; ++seed) draw(seed);
    auto const after = now();
    CHECK(after.heap - before.heap == 0);
    CHECK(after.pool - before.pool == 0);
  };
  check(OneStep{});
  check(Multistep{.times = {10, 0.8, 0.1}});
}

TEST_CASE("no memory that sampling takes outlives the call") {
  set_threads(1);
  UNetRun const run{4};
  auto const draw = [&](auto const& sampler) { run.samples(sampler, {.seed = 1, .count = 4, .batch = 2}); };
  auto const held = [] {
    MemoryPool::instance().trim();
    return MemoryPool::instance().reserved_bytes();
  };
  auto const before = held();
  draw(OneStep{});
  CHECK(held() == before);
  draw(Multistep{.times = {10, 0.8, 0.1}});
  CHECK(held() == before);
}

// How many chunks are at work at once, each with its own scratch memory, is for the scheduler to say: the
// pool may grow at any step. But each block that one thread needs is needed at most once per thread.
TEST_CASE("with three threads a training run asks for at most three times the memory of one") {
  set_threads(1);
  MemoryPool::instance().trim();
  UNetRun run{3};
  auto const batch = unet_batch(0);
  auto const start = now();
  for (int i = 0; i < 2; ++i) run.step(batch);
  auto const one = now();
  set_threads(3);
  run.step(batch);
  auto const first = now();
  for (int i = 0; i < 60; ++i) run.step(batch);
  auto const three = now();
  CHECK(three.pool - start.pool <= 3 * (one.pool - start.pool));
  CHECK(three.heap - first.heap == static_cast<long>(counts_heap() ? three.pool - first.pool : 0));
}

TEST_CASE("the memory in use does not grow with the number of steps") {
  set_threads(1);
  UNetRun run{5};
  auto const batch = unet_batch(0);
  for (int i = 0; i < 2; ++i) run.step(batch);
  auto const peak = MemoryPool::instance().peak_bytes();
  for (int i = 0; i < 10; ++i) run.step(batch);
  CHECK(MemoryPool::instance().peak_bytes() == peak);
}
