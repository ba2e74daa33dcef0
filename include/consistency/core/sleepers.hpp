// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <consistency/core/processor.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/core/wait.hpp>

namespace consistency {

/// Threads that sleep until there is work for them.
///
/// Where other programs use the cores, a helper may cost more than it gives: a loop waits for a chunk whose
/// thread was stopped, and a thread that is woken may take the core of the one that called it. Then there are
/// no calls for a time: twice as long as the thread was stopped, up to 32 times where such stops follow each
/// other, or a time that grows while threads go on meeting on one core. So what is lost stays below a few
/// percent, on busy cores and on idle ones where the system itself stops a thread now and then.
class Sleepers {
 public:
  using Nanoseconds = StoppedTime::Nanoseconds;

  /// A number that changes with every announcement.
  std::uint32_t announced(std::memory_order order = std::memory_order_relaxed) const noexcept {
    return signal_.load(order);
  }

  /// Says that there is work, or nothing more to come, to the threads that are awake.
  void announce() noexcept {
    callers_core_.store(current_core(), std::memory_order_relaxed);
    signal_.fetch_add(1);
  }

  /// Wakes one thread that was not called yet, if more chunks wait than threads of `helpers` are awake. It
  /// will call the next: so none is woken for nothing, and calling costs with many threads as little as with
  /// two.
  void call_one(std::atomic<Index> const& chunks, unsigned helpers) noexcept {
    auto counts = counts_.load();
    do {
      auto const sleeping = counts % called - counts / called;
      if (sleeping == 0 || helpers - sleeping >= chunks.load(std::memory_order_relaxed)) return;
      if (StoppedTime::now() < no_calls_until_.load(std::memory_order_relaxed)) return;
    } while (!counts_.compare_exchange_weak(counts, counts + called));
    signal_.fetch_add(1);
    wake_one(signal_);
  }
  void wake_all() noexcept {
    announce();
    consistency::wake_all(signal_);
  }

  /// Sleeps, unless something was announced since `seen`.
  void sleep(std::uint32_t seen) noexcept {
    counts_.fetch_add(1);
    wait_while(signal_, seen);
    auto counts = counts_.load();
    while (!counts_.compare_exchange_weak(counts, counts - 1 - (counts >= called ? called : 0))) {
    }
  }

  /// Whether the system had no other core for this thread than the caller's; there will be no calls then,
  /// each time for longer.
  bool meets_caller(unsigned helpers) noexcept {
    auto const core = current_core();
    if (core < 0 || core != callers_core_.load(std::memory_order_relaxed)) return false;
    auto const time = after_meeting_.load(std::memory_order_relaxed);
    after_meeting_.store(std::min(4 * time, longest), std::memory_order_relaxed);
    stop_calls(time, helpers);
    return true;
  }
  /// A thread that was called has been of use.
  void has_helped() noexcept {
    if (after_meeting_.load(std::memory_order_relaxed) != shortest)
      after_meeting_.store(shortest, std::memory_order_relaxed);
  }
  /// Whether a thread was stopped for long enough to matter; there will be no calls then.
  bool was_stopped(Nanoseconds time, unsigned helpers) noexcept {
    if (time <= 100'000) return false;
    auto const again = StoppedTime::now() < no_calls_until_.load(std::memory_order_relaxed) + soon + 8 * time;
    auto const factor = again ? std::min(4 * after_stop_.load(std::memory_order_relaxed), 32) : 2;
    after_stop_.store(factor, std::memory_order_relaxed);
    stop_calls(factor * time, helpers);
    return true;
  }

  /// Forgets threads that are not there.
  void reset() noexcept { counts_.store(0); }

 private:
  static constexpr std::uint32_t called = 1U << 16U;
  static constexpr Nanoseconds shortest = 1'000'000, longest = 500'000'000;
  static constexpr Nanoseconds soon = 50'000'000;  // within which a thread is stopped again on busy cores

  /// The more helpers, the less one of them matters.
  void stop_calls(Nanoseconds time, unsigned helpers) noexcept {
    auto const share = std::min(time, longest) / std::max(1U, helpers);
    no_calls_until_.store(StoppedTime::now() + share, std::memory_order_relaxed);
  }

  alignas(64) WaitWord signal_{0};
  // Two counts: of the threads that sleep, and, 16 bits up, of those of them that were called.
  alignas(64) WaitWord counts_{0};
  std::atomic<int> callers_core_{-1};
  std::atomic<Nanoseconds> no_calls_until_{0}, after_meeting_{shortest};
  std::atomic<int> after_stop_{2};
};

}  // namespace consistency
