// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/core/large_blocks.hpp>
#include <consistency/core/memory.hpp>

using namespace consistency;

namespace {

/// Blocks of two pieces of memory that lie next to each other, as the system may give them.
struct TwoPieces {
  static constexpr std::size_t size = 1000;
  TwoPieces() {
    for (auto* const piece : {memory.data() + size, memory.data()}) {
      REQUIRE(blocks.reserve());
      blocks.add(piece, size, size);
    }
  }
  void* take(std::size_t bytes) {
    REQUIRE(blocks.reserve());
    return blocks.take(bytes);
  }
  std::vector<std::pair<void*, std::size_t>> given_back() {
    std::vector<std::pair<void*, std::size_t>> given;
    blocks.give_back([&](void* piece, std::size_t bytes) { given.emplace_back(piece, bytes); });
    return given;
  }

  std::vector<std::byte> memory = std::vector<std::byte>(2 * size);
  void *first = memory.data(), *second = memory.data() + size;
  LargeBlocks blocks;
};

}  // namespace

TEST_CASE("a free block is split for less, and is one again when all parts are free, in any order") {
  for (auto const last : {0, 1, 2}) {
    TwoPieces two;
    two.blocks.put(two.first);
    void* const parts[]{two.take(300), two.take(300), two.take(400)};
    CHECK(parts[0] == two.first);
    CHECK(two.take(1) == nullptr);
    for (auto const i : {0, 1, 2})
      if (i != last) two.blocks.put(parts[i]);
    CHECK(two.take(1000) == nullptr);
    two.blocks.put(parts[last]);
    CHECK(two.take(1000) == two.first);
  }
}

TEST_CASE("the smallest block that is large enough is taken, and no block reaches over two of the system's") {
  TwoPieces two;
  two.blocks.put(two.first);
  two.blocks.put(two.second);
  CHECK(two.take(1001) == nullptr);
  auto* const most = two.take(900);
  CHECK(two.take(60) == static_cast<std::byte*>(most) + 900);
  CHECK(two.take(900) != nullptr);
}

TEST_CASE("what goes back to the system are whole blocks of its own, of which nothing is in use") {
  TwoPieces two;
  CHECK(two.given_back().empty());
  two.blocks.put(two.second);
  auto* const part = two.take(10);
  CHECK(part == two.second);
  two.blocks.put(two.first);
  CHECK(two.given_back() == std::vector{std::pair{two.first, two.size}});
  two.blocks.put(part);
  CHECK(two.given_back() == std::vector{std::pair{two.second, two.size}});
  CHECK(two.take(1) == nullptr);
}

TEST_CASE("blocks in use never overlap, and all memory is free after them") {
  TwoPieces two;
  two.blocks.put(two.first);
  two.blocks.put(two.second);
  std::map<std::byte*, std::size_t> used;
  std::uint32_t random = 1;
  for (int i = 0; i < 20000; ++i) {
    random = random * 1664525U + 1013904223U;
    auto const bytes = std::size_t{1} + (random >> 8U) % 200;
    if ((random >> 30U) != 0) {
      if (auto* const memory = static_cast<std::byte*>(two.take(bytes))) {
        auto const next = used.lower_bound(memory);
        CHECK((next == used.end() || memory + bytes <= next->first));
        CHECK((next == used.begin() || std::prev(next)->first + std::prev(next)->second <= memory));
        used[memory] = bytes;
      }
    }
    if (used.size() > 12 || (random >> 30U) == 0) {
      if (used.empty()) continue;
      auto const gone = std::next(used.begin(), static_cast<std::ptrdiff_t>(bytes % used.size()));
      two.blocks.put(gone->first);
      used.erase(gone);
    }
  }
  for (auto const& [memory, bytes] : used) two.blocks.put(memory);
  CHECK(two.given_back().size() == 2);
}

TEST_CASE("a block of the system that is larger than what is wanted has the rest free") {
  TwoPieces two;
  auto memory = std::vector<std::byte>(100);
  REQUIRE(two.blocks.reserve());
  two.blocks.add(memory.data(), 100, 60);
  CHECK(two.take(41) == nullptr);
  CHECK(two.take(40) == memory.data() + 60);
}

TEST_CASE("the system is asked for a sixteenth of what it gave, up to 64 MiB, in whole large pages") {
  constexpr std::size_t mega = std::size_t{1} << 20U;
  CHECK(LargeBlocks::asked(70000, 0) == 70016);
  CHECK(LargeBlocks::asked(70000, 32 * mega) == 2 * mega);
  CHECK(LargeBlocks::asked(5 * mega, 32 * mega) == 6 * mega);
  CHECK(LargeBlocks::asked(5 * mega, 160 * mega) == 10 * mega);
  CHECK(LargeBlocks::asked(5 * mega, 64 * 1024 * mega) == 64 * mega);
  CHECK(LargeBlocks::asked(99 * mega, 64 * 1024 * mega) == 100 * mega);
  MemoryPool pool;
  auto *const a = pool.allocate(5 * mega), *const b = pool.allocate(mega);
  CHECK(pool.system_allocations() == 1);
  CHECK(pool.reserved_bytes() == 6 * mega);
  pool.release(a, 5 * mega);
  pool.release(b, mega);
  pool.trim();
}

TEST_CASE("large sizes that come one after the other share the pool's memory") {
  MemoryPool pool;
  constexpr std::size_t mega = std::size_t{1} << 20U;
  auto* const whole = pool.allocate(8 * mega);
  pool.release(whole, 8 * mega);
  auto *const a = pool.allocate(3 * mega), *const b = pool.allocate(5 * mega);
  CHECK(pool.system_allocations() == 1);
  pool.release(a, 3 * mega);
  pool.release(b, 5 * mega);
  CHECK(pool.allocate(8 * mega) == whole);
  pool.release(whole, 8 * mega);
  pool.trim();
  CHECK(pool.reserved_bytes() == 0);
}
