// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <string>

#include <consistency/core/error.hpp>

namespace consistency::detail {

/// Holds what one thread at a time may use. Throws config_error where another thread holds it.
class SoleUse {
 public:
  SoleUse(std::atomic<bool>& in_use, char const* where, char const* object, char const* advice = "")
      : in_use_{in_use} {
    if (in_use_.exchange(true, std::memory_order_acquire))
      fail<config_error>(where, std::string{object} + " that another thread is using", "two threads", "one",
                         advice);
  }
  SoleUse(SoleUse const&) = delete;
  SoleUse& operator=(SoleUse const&) = delete;
  ~SoleUse() { in_use_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& in_use_;
};

}  // namespace consistency::detail
