// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include <consistency/core/check.hpp>

namespace consistency {

/// How long a rank waits for the others in one operation. Make it longer than what a rank ever does alone
/// while the others wait, such as writing a checkpoint.
struct Deadline {
  double seconds = 60;  ///< infinity waits for ever

  void check() const { require_setting(seconds > 0, "Deadline", "seconds", seconds, "more than 0"); }
};

namespace detail {

/// Waits between one look at what others do and the next: not at all at first, then giving the processor
/// away, and after a second sleeping, never for more than a thousandth of the time waited.
class Backoff {
 public:
  explicit Backoff(Deadline deadline) : seconds_{deadline.seconds} {}

  /// False when the time is over. Time in which this process was itself stopped does not count.
  bool wait() {
    using Seconds = std::chrono::duration<double>;
    auto const now = Clock::now();
    waited_ += std::min(Seconds{now - last_}.count(), longest_gap);
    last_ = now;
    if (waited_ > seconds_) return false;
    if (waited_ > 1)
      std::this_thread::sleep_for(std::min(Seconds{waited_ / 1024}, Seconds{1e-3}));
    else if (waited_ > 2e-5)
      std::this_thread::yield();
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double longest_gap = 0.25;

  double seconds_, waited_ = 0;
  Clock::time_point last_ = Clock::now();
};

}  // namespace detail

}  // namespace consistency
