// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define CONSISTENCY_HAS_FORK 1
#else
#define CONSISTENCY_HAS_FORK 0
#endif

#include <consistency/core/error.hpp>

namespace consistency {

/// Has the system call these around each fork(): before it, and after it in the parent and in the child; null
/// for nothing to do. Throws resource_error where the system has no memory to remember them.
inline void at_fork([[maybe_unused]] void (*before)(), [[maybe_unused]] void (*in_parent)(),
                    [[maybe_unused]] void (*in_child)()) {
#if CONSISTENCY_HAS_FORK
  if (auto const status = ::pthread_atfork(before, in_parent, in_child); status != 0)
    fail<resource_error>("pthread_atfork", "no memory for what is to be done at a fork",
                         "error " + number_text(status), "0", "Use the library before memory is short.");
#endif
}

/// How many forks lie between the process that started and this one: a child counts one more than its parent.
inline unsigned forks() {
  static std::atomic<unsigned> count{0};
  static bool const registered = (at_fork(nullptr, nullptr, [] { ++count; }), true);
  static_cast<void>(registered);
  return count.load(std::memory_order_relaxed);
}

}  // namespace consistency
