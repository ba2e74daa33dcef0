// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include <consistency/core/error.hpp>
#include <consistency/core/fork.hpp>
#include <consistency/core/large_blocks.hpp>
#include <consistency/core/memory_source.hpp>

namespace consistency {

/// Blocks of the pool that one thread at a time keeps for itself, so that it asks for memory without a lock.
class MemoryCache {
 public:
  MemoryCache() = default;
  MemoryCache(MemoryCache const&) = delete;
  MemoryCache& operator=(MemoryCache const&) = delete;
  ~MemoryCache();  ///< gives all blocks back to the pool

  /// While it lives, its thread takes blocks from the cache first, and gives to it what it releases.
  class Scope {
   public:
    explicit Scope(MemoryCache& cache) noexcept : before_{std::exchange(current(), &cache)} {}
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() { current() = before_; }

   private:
    MemoryCache* before_;
  };

 private:
  friend class MemoryPool;

  struct Free {
    Free* next;
  };
  // Bin 16e + s holds blocks of s · 2^e units of 64 bytes, s < 32 and, for e > 0, s ≥ 16.
  using Bins = std::array<Free*, std::size_t{16} * 60>;

  static MemoryCache*& current() noexcept {
    thread_local MemoryCache* cache = nullptr;
    return cache;
  }
  static void* take(Bins& bins, std::size_t bin) noexcept {
    auto* const block = bins[bin];
    if (block != nullptr) bins[bin] = block->next;
    return block;
  }
  static void put(Bins& bins, std::size_t bin, void* memory) noexcept {
    bins[bin] = new (memory) Free{bins[bin]};
  }

  Bins bins_{};
};

/// Host memory that is kept and handed out again: after the first step of a shape nothing is asked of its
/// source, the system or a program's own allocator. Blocks are 64-byte aligned and at most a sixteenth larger
/// than asked for, from 1 KiB on; those from 64 KiB on are cut from unused ones of any size. What a
/// MemoryCache keeps counts as in use.
class MemoryPool {
 public:
  static constexpr std::size_t alignment = MemorySource::alignment;
  /// No block is larger, in bytes: sizes are rounded up without wrapping.
  static constexpr std::size_t largest = std::numeric_limits<std::size_t>::max() / 4 + 1;

  /// The process-wide pool; never destroyed, so that tensors of static storage stay valid. A child of fork()
  /// has it whole, unless the fork falls into this function's first call on another thread.
  static MemoryPool& instance() {
    static auto& pool = made();
    return pool;
  }

  /// Takes memory from `source` from now on, in place of the system's allocator. Throws config_error while
  /// the pool has blocks that are in use: call it before the first tensor, or after the last.
  void use(MemorySource const& source) {
    auto const lock = std::scoped_lock{mutex_};
    if (source.allocate == nullptr || source.release == nullptr)
      fail<config_error>("MemoryPool", "memory source", "no function", "allocate and release");
    give_back();
    if (reserved_ > 0)
      fail<config_error>("MemoryPool", "memory source", number_text(live_) + " bytes in use", "none",
                         "Choose the source before the first tensor is made.");
    source_ = source;
  }

  /// A block of at least `bytes`. Where the source has none, unused blocks are given back and it is asked
  /// once more; then throws resource_error.
  void* allocate(std::size_t bytes) {
    if (bytes > largest) out_of_memory(bytes, reserved_bytes());
    auto const bin = bin_of(bytes);
    auto const size = size_of(bin);
    if (auto* const cache = MemoryCache::current())
      if (auto* const block = MemoryCache::take(cache->bins_, bin)) return block;
    auto const lock = std::scoped_lock{mutex_};
    if (size >= large_size && !large_.reserve()) out_of_memory(bytes, reserved_);
    auto* block = unused(bin);
    if (block == nullptr) block = from_source(size, bytes);
    live_ += size;
    peak_ = std::max(peak_, live_);
    return block;
  }

  void release(void* memory, std::size_t bytes) noexcept {
    auto const bin = bin_of(bytes);
    if (auto* const cache = MemoryCache::current()) return MemoryCache::put(cache->bins_, bin, memory);
    auto const lock = std::scoped_lock{mutex_};
    live_ -= size_of(bin);
    put(bin, memory);
  }

  /// Gives all unused blocks back to the system.
  void trim() noexcept {
    auto const lock = std::scoped_lock{mutex_};
    give_back();
  }

  std::size_t peak_bytes() const noexcept { return locked(peak_); }  ///< high-water mark of bytes in use
  std::size_t reserved_bytes() const noexcept { return locked(reserved_); }  ///< taken from the system
  std::uint64_t system_allocations() const noexcept { return locked(system_allocations_); }

 private:
  static constexpr std::size_t large_size = std::size_t{1} << 16U;  // below, blocks keep their size for good

  /// No other thread may hold the lock while memory is copied for a child: there no thread would unlock it.
  static MemoryPool& made() {
    auto& pool = *new MemoryPool;
    at_fork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
            [] { instance().mutex_.unlock(); });
    return pool;
  }

  /// A new block of `size` bytes, cut from a larger one of the source where it has one.
  void* from_source(std::size_t size, std::size_t bytes) {
    auto const large = size >= large_size;
    auto asked = large ? LargeBlocks::asked(size, reserved_) : size;
    auto const ask = [&] { return source_.allocate(source_.user, asked); };
    auto* block = ask();
    if (block == nullptr && reserved_ > live_) {
      give_back();
      block = ask();
    }
    if (block == nullptr && asked > size) {
      asked = size;
      block = ask();
    }
    if (block == nullptr) out_of_memory(bytes, reserved_);
    if (std::bit_cast<std::uintptr_t>(block) % alignment != 0) {
      source_.release(source_.user, block, asked);
      fail<config_error>("MemoryPool", "block of the memory source",
                         "address " + number_text(std::bit_cast<std::uintptr_t>(block)),
                         "a multiple of " + number_text(alignment));
    }
    if (large) large_.add(block, asked, size);
    ++system_allocations_;
    reserved_ += asked;
    return block;
  }

  [[noreturn]] static void out_of_memory(std::size_t bytes, std::size_t held) {
    fail<resource_error>("MemoryPool", "out of memory", number_text(held) + " bytes held",
                         number_text(bytes) + " bytes more", "Use a smaller batch or network.");
  }

  /// A block of a bin that nobody uses; nullptr: there is none.
  void* unused(std::size_t bin) noexcept {
    return size_of(bin) < large_size ? MemoryCache::take(bins_, bin) : large_.take(size_of(bin));
  }
  void put(std::size_t bin, void* memory) noexcept {
    size_of(bin) < large_size ? MemoryCache::put(bins_, bin, memory) : large_.put(memory);
  }

  friend MemoryCache;

  void take_back(MemoryCache::Bins& bins) noexcept {
    auto const lock = std::scoped_lock{mutex_};
    for (std::size_t bin = 0; bin < bins.size(); ++bin)
      while (auto* const block = MemoryCache::take(bins, bin)) {
        live_ -= size_of(bin);
        put(bin, block);
      }
  }

  void give_back() noexcept {
    large_.give_back([&](void* memory, std::size_t size) {
      reserved_ -= size;
      source_.release(source_.user, memory, size);
    });
    for (std::size_t bin = 0; bin < bins_.size(); ++bin)
      while (auto* const block = MemoryCache::take(bins_, bin)) {
        reserved_ -= size_of(bin);
        source_.release(source_.user, block, size_of(bin));
      }
    if (source_.trimmed != nullptr) source_.trimmed(source_.user);
  }

  static std::size_t bin_of(std::size_t bytes) noexcept {
    auto const units = bytes <= 256 ? std::size_t{4} : (bytes + 63) / 64;
    auto const exponent = static_cast<std::size_t>(std::max(5, static_cast<int>(std::bit_width(units)))) - 5;
    auto const step = std::size_t{1} << exponent;
    return 16 * exponent + (units + step - 1) / step;
  }
  static std::size_t size_of(std::size_t bin) noexcept {
    return bin < 32 ? bin * 64 : (16 + bin % 16) * 64 << (bin / 16 - 1);
  }

  template <class T>
  T locked(T const& value) const noexcept {
    auto const lock = std::scoped_lock{mutex_};
    return value;
  }

  mutable std::mutex mutex_;
  MemoryCache::Bins bins_{};
  LargeBlocks large_;
  MemorySource source_ = system_memory();
  std::size_t live_ = 0, peak_ = 0, reserved_ = 0;
  std::uint64_t system_allocations_ = 0;
};

inline MemoryCache::~MemoryCache() { MemoryPool::instance().take_back(bins_); }

/// Memory of the pool for containers.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(PoolAllocator<U> const&) noexcept {}  // NOLINT(google-explicit-constructor): an allocator's
  T* allocate(std::size_t count) {
    return static_cast<T*>(MemoryPool::instance().allocate(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    MemoryPool::instance().release(memory, count * sizeof(T));
  }
  friend bool operator==(PoolAllocator const&, PoolAllocator const&) = default;
};

}  // namespace consistency
