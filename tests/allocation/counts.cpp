// SPDX-License-Identifier: MIT
#include "counts.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>
#include <pthread.h>

#include <consistency/core/memory.hpp>

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

std::atomic<long> allocations{0}, locks{0};

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
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  using Lock = int (*)(pthread_mutex_t*);
  static auto const lock = reinterpret_cast<Lock>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  locks.fetch_add(1, std::memory_order_relaxed);
  return lock(mutex);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = aligned_alloc(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif

namespace consistency::test {

Counts now() {
  auto const pool = MemoryPool::instance().system_allocations();
  return {allocations.load(), pool, locks.load()};
}
bool counts_heap() { return CONSISTENCY_TEST_COUNTS_MALLOC == 1; }

}  // namespace consistency::test
