// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace example {

namespace detail {
inline volatile std::sig_atomic_t interrupted = 0;
}

/// The first Ctrl-C (or SIGTERM) asks the run to stop after the step at hand; the second ends it at once.
inline void watch_interrupts() {
  struct ::sigaction action {};
  action.sa_handler = [](int number) {
    if (detail::interrupted != 0) {
      std::signal(number, SIG_DFL);
      std::raise(number);
    }
    detail::interrupted = 1;
  };
  action.sa_flags = SA_RESTART | SA_NODEFER;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

inline bool interrupted() { return detail::interrupted != 0; }

}  // namespace example
