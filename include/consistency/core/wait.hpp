// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <climits>
#include <cstdint>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace consistency {

/// Threads that sleep until a word changes. std::atomic's own wait first yields the core four times, each of
/// which costs a turn of every other program where the cores are busy.
using WaitWord = std::atomic<std::uint32_t>;

/// Sleeps while the word has this value, until it is woken; may return without a cause.
inline void wait_while(WaitWord& word, std::uint32_t value) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  word.wait(value);
#endif
}

inline void wake_one(WaitWord& word) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#else
  word.notify_one();
#endif
}

inline void wake_all(WaitWord& word) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
  word.notify_all();
#endif
}

}  // namespace consistency
