// SPDX-License-Identifier: MIT
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <consistency/core/memory.hpp>

#include "../support/child.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using test::check_fails;
using test::in_child;

// Sanitizers end a program that asks for too much memory unless they are told to return null.
extern "C" char const* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" char const* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {

/// A pool of one test's own, which gives everything back.
struct OwnPool : MemoryPool {
  ~OwnPool() { trim(); }
};

bool aligned(void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % MemoryPool::alignment == 0; }

}  // namespace

TEST_CASE("a released block is handed out again without asking the system") {
  OwnPool pool;
  auto* const first = pool.allocate(1000);
  pool.release(first, 1000);
  CHECK(pool.system_allocations() == 1);
  auto* const second = pool.allocate(1000);
  CHECK(second == first);
  CHECK(pool.system_allocations() == 1);
  auto* const third = pool.allocate(1000);
  CHECK(third != second);
  CHECK(pool.system_allocations() == 2);
  pool.release(second, 1000);
  pool.release(third, 1000);
}

TEST_CASE("blocks of every size are aligned to 64 bytes and hold what was asked for") {
  OwnPool pool;
  for (std::size_t size = 0; size < 5000; size += size < 300 ? 1 : 37) {
    auto* const memory = pool.allocate(size);
    REQUIRE(aligned(memory));
    std::memset(memory, 0x5a, size);
    pool.release(memory, size);
  }
  for (auto const size : {std::size_t{1} << 16U, (std::size_t{1} << 20U) + 1, (std::size_t{1} << 24U) - 1}) {
    auto* const memory = pool.allocate(size);
    REQUIRE(aligned(memory));
    std::memset(memory, 0x5a, size);
    pool.release(memory, size);
  }
}

TEST_CASE("a block is at most a sixteenth larger than what was asked for") {
  for (auto const size : {std::size_t{257}, std::size_t{1025}, std::size_t{100000}, std::size_t{1} << 22U,
                          (std::size_t{1} << 22U) + 1, (std::size_t{5} << 20U) + 64}) {
    CAPTURE(size);
    OwnPool pool;
    auto* const memory = pool.allocate(size);
    CHECK(pool.peak_bytes() >= size);
    CHECK(pool.peak_bytes() <= (size + 63) / 64 * 64 * 17 / 16 + 64);
    pool.release(memory, size);
  }
}

TEST_CASE("the peak is the most that was in use at one time") {
  OwnPool pool;
  CHECK(pool.peak_bytes() == 0);
  auto* const a = pool.allocate(1024);
  auto* const b = pool.allocate(2048);
  CHECK(pool.peak_bytes() == 3072);
  pool.release(a, 1024);
  pool.release(b, 2048);
  auto* const c = pool.allocate(2048);
  CHECK(pool.peak_bytes() == 3072);
  pool.release(c, 2048);
}

TEST_CASE("trimming gives unused blocks back and keeps those in use") {
  OwnPool pool;
  auto* const kept = pool.allocate(4096);
  std::memset(kept, 0x33, 4096);
  pool.release(pool.allocate(1 << 20), 1 << 20);
  CHECK(pool.reserved_bytes() == 4096 + (1 << 20));
  pool.trim();
  CHECK(pool.reserved_bytes() == 4096);
  CHECK(static_cast<unsigned char*>(kept)[4095] == 0x33);
  pool.release(kept, 4096);
}

TEST_CASE("a request that the system cannot meet is a resource_error that names its size") {
  OwnPool pool;
  auto const impossible = std::size_t{1} << 60U;
  try {
    pool.allocate(impossible);
    FAIL("no error");
  } catch (resource_error const& e) {
    CHECK(e.where() == "MemoryPool");
    CHECK(e.report().expected == std::to_string(impossible) + " bytes more");
  }
}

TEST_CASE("a rejected request, of any size, leaves what is in use as it was") {
  OwnPool pool;
  auto* const kept = pool.allocate(256);
  for (auto const bytes :
       {std::size_t{1} << 60U, std::size_t{1} << 62U, SIZE_MAX / 2, SIZE_MAX - 63, SIZE_MAX}) {
    CAPTURE(bytes);
    CHECK_THROWS_AS(pool.allocate(bytes), resource_error);
    CHECK(pool.reserved_bytes() == 256);
    CHECK(pool.peak_bytes() == 256);
    CHECK(pool.system_allocations() == 1);
  }
  pool.release(kept, 256);
}

TEST_CASE("before a request fails, unused blocks go back to the system and it is asked once more") {
  OwnPool pool;
  auto* const kept = pool.allocate(4096);
  std::memset(kept, 0x33, 4096);
  pool.release(pool.allocate(1 << 20), 1 << 20);
  CHECK_THROWS_AS(pool.allocate(std::size_t{1} << 60U), resource_error);
  CHECK(pool.reserved_bytes() == 4096);
  CHECK(static_cast<unsigned char*>(kept)[4095] == 0x33);
  pool.release(kept, 4096);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they hold address space of their own
TEST_CASE(
    "memory that the pool holds and nobody uses serves a request of another size when the system has no "
    "more") {
  CHECK(in_child([] {
          long pages = 0;
          std::ifstream{"/proc/self/statm"} >> pages;
          auto const bytes = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE) + (1000L << 20U));
          auto const limit = rlimit{bytes, bytes};
          if (::setrlimit(RLIMIT_AS, &limit) != 0) return 0;
          OwnPool pool;
          auto const mega = std::size_t{1} << 20U;
          pool.release(pool.allocate(700 * mega), 700 * mega);
          auto* const other = pool.allocate(500 * mega);  // 700 and 500 are more than there is
          std::memset(other, 1, mega);
          pool.release(other, 500 * mega);
          try {
            pool.allocate(2000 * mega);
            return 1;
          } catch (resource_error const&) {
            return pool.reserved_bytes() == 0 ? 0 : 2;
          }
        }) == 0);
}
#endif

TEST_CASE("a cache keeps what its thread releases, without the pool, and gives it back at its end") {
  auto& pool = MemoryPool::instance();
  pool.trim();
  auto const before = pool.reserved_bytes();
  {
    MemoryCache cache;
    auto* const outside = pool.allocate(1000);
    {
      MemoryCache::Scope const scope{cache};
      auto* const block = pool.allocate(1000);
      pool.release(block, 1000);
      auto const asked = pool.system_allocations();
      CHECK(pool.allocate(1000) == block);
      pool.release(block, 1000);
      CHECK(pool.system_allocations() == asked);
      std::thread{[&] {  // the cache is of one thread
        auto* const other = pool.allocate(1000);
        CHECK(other != block);
        pool.release(other, 1000);
      }}
          .join();
      pool.release(outside, 1000);  // a block is of any thread
    }
    pool.trim();
    CHECK(pool.reserved_bytes() == before + 2 * 1024);
  }
  pool.trim();
  CHECK(pool.reserved_bytes() == before);
}

TEST_CASE("a child of fork can use the memory, though another thread of its parent was at it") {
  MemoryPool::instance().trim();  // no fork falls into the pool's own beginning
  std::atomic<bool> stop = false;
  std::thread other{[&] {
    while (!stop) MemoryPool::instance().release(MemoryPool::instance().allocate(640), 640);
  }};
  for (int repeat = 0; repeat < 50; ++repeat)
    CHECK(in_child([] {
            MemoryPool::instance().release(MemoryPool::instance().allocate(640), 640);
            return 0;
          }) == 0);
  stop = true;
  other.join();
}

TEST_CASE("threads share a pool") {
  OwnPool pool;
  std::atomic<bool> intact = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        auto const size = static_cast<std::size_t>(64 + i % 700);
        auto* const memory = static_cast<unsigned char*>(pool.allocate(size));
        std::memset(memory, t, size);
        for (std::size_t k = 0; k < size; ++k)
          if (memory[k] != t) intact = false;
        pool.release(memory, size);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(intact);
  CHECK(pool.peak_bytes() <= 4 * 1024);
}

namespace {

/// A program's own allocator, which counts.
struct Heap {
  std::size_t held = 0, largest = ~std::size_t{0}, offset = 0;
  int trims = 0;
  MemorySource source() {
    return {.allocate = [](void* user, std::size_t bytes) noexcept -> void* {
              auto& heap = *static_cast<Heap*>(user);
              if (heap.held + bytes > heap.largest) return nullptr;
              auto* const block = std::aligned_alloc(64, bytes + 64);
              heap.held += bytes;
              return static_cast<std::byte*>(block) + heap.offset;
            },
            .release =
                [](void* user, void* memory, std::size_t bytes) noexcept {
                  auto& heap = *static_cast<Heap*>(user);
                  heap.held -= bytes;
                  std::free(static_cast<std::byte*>(memory) - heap.offset);
                },
            .trimmed = [](void* user) noexcept { ++static_cast<Heap*>(user)->trims; },
            .user = this};
  }
};

}  // namespace

TEST_CASE("the pool takes memory from a program's own allocator, gives all of it back, and knows its end") {
  Heap heap;
  OwnPool pool;
  pool.use(heap.source());
  auto* const small = pool.allocate(1000);
  auto* const large = pool.allocate(std::size_t{1} << 20U);
  CHECK(heap.held == pool.reserved_bytes());
  CHECK(pool.system_allocations() == 2);
  check_fails<ErrorCode::config>([&] { pool.use(system_memory()); },
                                 {"memory source", "in use", "first tensor"});
  pool.release(large, std::size_t{1} << 20U);
  heap.largest = heap.held + (std::size_t{1} << 17U);
  auto* const again = pool.allocate(std::size_t{1} << 19U);  // of the free one
  CHECK(again == large);
  pool.release(again, std::size_t{1} << 19U);
  auto* const larger = pool.allocate((std::size_t{1} << 20U) + 4096);  // after the free one went back
  CHECK(heap.held == pool.reserved_bytes());
  check_fails<ErrorCode::resource>([&] { pool.allocate(std::size_t{1} << 21U); }, {"out of memory"});
  pool.release(larger, (std::size_t{1} << 20U) + 4096);
  pool.release(small, 1000);
  pool.use(system_memory());
  CHECK(heap.held == 0);
  CHECK(heap.trims > 0);
}

TEST_CASE("a source that has no more than what is wanted gives that") {
  Heap heap;
  OwnPool pool;
  pool.use(heap.source());
  constexpr std::size_t mega = std::size_t{1} << 20U;
  auto* const much = pool.allocate(64 * mega);
  heap.largest = heap.held + 2 * mega;
  auto* const little = pool.allocate(mega);  // a sixteenth of what there is would be 4 MiB
  CHECK(heap.held == 65 * mega);
  pool.release(much, 64 * mega);
  pool.release(little, mega);
}

TEST_CASE("a memory source without functions, or whose blocks are not aligned, is rejected") {
  Heap heap{.offset = 8};
  OwnPool pool;
  check_fails<ErrorCode::config>([&] { pool.use({}); }, {"memory source", "allocate and release"});
  pool.use(heap.source());
  check_fails<ErrorCode::config>([&] { pool.allocate(100); },
                                 {"block of the memory source", "multiple of 64"});
  CHECK(heap.held == 0);
}
