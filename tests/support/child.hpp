// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <iostream>

#include <sys/wait.h>
#include <unistd.h>

namespace consistency::test {

/// The thread sanitizer knows no children that start threads.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool no_threads_in_children = true;
#elif defined(__has_feature)
inline constexpr bool no_threads_in_children = __has_feature(thread_sanitizer);
#else
inline constexpr bool no_threads_in_children = false;
#endif

/// How a child of fork() ended that computed `body`: what it returned, 99 if it threw, or −1 if a signal
/// ended it.
template <class Body>
int in_child(Body const& body) {
  std::cout.flush();  // or the child would print it again
  std::fflush(nullptr);
  auto const child = ::fork();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace consistency::test
