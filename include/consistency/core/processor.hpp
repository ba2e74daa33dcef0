// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#endif

namespace consistency {

/// The cores that this process may use.
inline unsigned cores() noexcept {
#ifdef __linux__
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
#elif defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
  return 1;  // compiled without threads, however many cores the browser has
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

/// The core that this thread is on; −1 where the system does not say.
inline int current_core() noexcept {
#ifdef __linux__
  return ::sched_getcpu();
#else
  return -1;
#endif
}

/// How long other programs kept a thread from its core. One thread's own; always 0 where the system does not
/// say.
class StoppedTime {
 public:
  using Nanoseconds = std::int64_t;

  /// A steady clock; 0 where the system does not say.
  static Nanoseconds now() noexcept {
#ifdef __linux__
    return read(CLOCK_MONOTONIC);
#else
    return 0;
#endif
  }

  /// Forgets what was.
  void restart() noexcept {
#ifdef __linux__
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    switches_ = usage.ru_nivcsw;
    looked_ = now();
    off_ = looked_ - read(CLOCK_THREAD_CPUTIME_ID);
#endif
  }

  /// Time for which the thread was ready and did not run, since the last call; 0 if fewer than 0.2 ms passed.
  Nanoseconds since() noexcept {
#ifdef __linux__
    auto const time = now();
    auto const passed = time - std::exchange(looked_, time);
    if (passed < 200'000) return 0;
    auto const off = off_;
    auto const switches = switches_;
    restart();
    return switches_ == switches ? 0 : off_ - off;
#else
    return 0;
#endif
  }

#ifdef __linux__
 private:
  static Nanoseconds read(clockid_t clock) noexcept {
    timespec time{};
    ::clock_gettime(clock, &time);
    return 1'000'000'000 * Nanoseconds{time.tv_sec} + time.tv_nsec;
  }

  Nanoseconds looked_ = 0, off_ = 0;  // off_: for how long it did not run, whatever the cause
  long switches_ = 0;                 // how often another took its core
#endif
};

}  // namespace consistency
