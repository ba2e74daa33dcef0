// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <climits>
#include <cstdint>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <condition_variable>
#include <mutex>
#endif

namespace consistency {

/// Threads that sleep until a word changes. std::atomic's own wait first yields the core four times, each of
/// which costs a turn of every other program where the cores are busy.
using WaitWord = std::atomic<std::uint32_t>;

#ifndef __linux__
namespace detail {

/// Where all threads sleep. Not std::atomic's: without a futex, that of libstdc++ 12 reads the word before it
/// takes the lock, and misses a wake between the two.
struct SleepingPlace {
  std::mutex mutex;
  std::condition_variable woken;

  static SleepingPlace& instance() {
    static auto& place = *new SleepingPlace;  // never destroyed: threads may sleep when the process ends
    return place;
  }
  void wake() noexcept {
    { auto const lock = std::scoped_lock{mutex}; }  // who has read the old value sleeps by now
    woken.notify_all();
  }
};

}  // namespace detail
#endif

/// Sleeps while the word has this value, until it is woken; may return without a cause.
inline void wait_while(WaitWord& word, std::uint32_t value) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  auto& place = detail::SleepingPlace::instance();
  auto lock = std::unique_lock{place.mutex};
  if (word.load() == value) place.woken.wait(lock);
#endif
}

inline void wake_one([[maybe_unused]] WaitWord& word) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#else
  detail::SleepingPlace::instance().wake();
#endif
}

inline void wake_all([[maybe_unused]] WaitWord& word) noexcept {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
  detail::SleepingPlace::instance().wake();
#endif
}

}  // namespace consistency
