// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>

#ifdef __linux__
#include <sys/mman.h>
#endif
#if defined(__GLIBC__) || defined(_WIN32)
#include <malloc.h>
#endif

namespace consistency {

/// Where MemoryPool takes its blocks from: the system's allocator, or a program's own. The functions are
/// called by any thread that needs memory, one at a time; they use no tensors.
struct MemorySource {
  static constexpr std::size_t alignment = 64;                      ///< of every block, in bytes
  static constexpr std::size_t large_page = std::size_t{1} << 21U;  ///< of the processor's, in bytes

  void* (*allocate)(void* user, std::size_t bytes) noexcept;  ///< nullptr: there is none left
  void (*release)(void* user, void* memory, std::size_t bytes) noexcept;
  void (*trimmed)(void* user) noexcept = nullptr;  ///< unused blocks have been given back; may be left out
  void* user = nullptr;                            ///< what all of them are given
};

namespace detail {

/// Large blocks ask for large pages: a pass over weights then misses the address cache a few times only.
inline void* system_allocate(void*, std::size_t bytes) noexcept {
#ifdef __linux__
  constexpr auto page = MemorySource::large_page;
  if (bytes >= 2 * page && bytes % page == 0) {
    auto* const block = std::aligned_alloc(page, bytes);
    if (block != nullptr) static_cast<void>(::madvise(block, bytes, MADV_HUGEPAGE));
    return block;
  }
#endif
#ifdef _WIN32
  return ::_aligned_malloc(bytes, MemorySource::alignment);
#else
  return std::aligned_alloc(MemorySource::alignment, bytes);
#endif
}

inline void system_release(void*, void* memory, std::size_t) noexcept {
#ifdef _WIN32
  ::_aligned_free(memory);
#else
  std::free(memory);
#endif
}

inline void system_trimmed(void*) noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);  // or much of it stays with the C library
#endif
}

}  // namespace detail

/// The system's allocator.
inline MemorySource system_memory() {
  return {.allocate = detail::system_allocate,
          .release = detail::system_release,
          .trimmed = detail::system_trimmed};
}

}  // namespace consistency
