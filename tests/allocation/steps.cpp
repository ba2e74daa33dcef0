#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <doctest/doctest.h>

#include <consistency/core/memory.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>

#include "../support/unet_run.hpp"

// Counts every allocation of the process, by operator new and by C functions alike. Under a sanitizer, which
// has hooks of its own, only the library's pool is looked at.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONSISTENCY_TEST_COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CONSISTENCY_TEST_COUNTS_MALLOC 0
#endif
#endif
#if !defined(CONSISTENCY_TEST_COUNTS_MALLOC) && defined(__GLIBC__)
#define CONSISTENCY_TEST_COUNTS_MALLOC 1
#elif !defined(CONSISTENCY_TEST_COUNTS_MALLOC)
#define CONSISTENCY_TEST_COUNTS_MALLOC 0
#endif

namespace {

std::atomic<long> allocations{0};

}  // namespace

#if CONSISTENCY_TEST_COUNTS_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = aligned_alloc(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif

using namespace consistency;
using namespace consistency::test;

namespace {

struct Counts {
  long heap;
  std::uint64_t pool;
  friend bool operator==(Counts const&, Counts const&) = default;
};

Counts now() { return {allocations.load(), MemoryPool::instance().system_allocations()}; }

}  // namespace

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
  CHECK(after.heap - before.heap == 3 * CONSISTENCY_TEST_COUNTS_MALLOC);
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

// How many chunks are at work at once, each with its own scratch memory, is for the scheduler to say; so the
// pool may grow late, but not for long.
TEST_CASE("with more threads, too, a training run comes to ask for no memory") {
  set_threads(3);
  UNetRun run{3};
  auto const batch = unet_batch(0);
  auto quiet = 0;
  for (int round = 0; round < 20 && quiet < 3; ++round) {
    auto const before = now();
    for (int i = 0; i < 5; ++i) run.step(batch);
    auto const after = now();
    quiet = after == before ? quiet + 1 : 0;
  }
  CHECK(quiet == 3);
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
