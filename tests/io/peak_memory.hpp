// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <consistency/core/error.hpp>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONSISTENCY_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CONSISTENCY_TEST_SANITIZED 1
#endif
#endif

namespace consistency::test {

#ifdef CONSISTENCY_TEST_SANITIZED
inline constexpr auto sanitized = true;
#else
inline constexpr auto sanitized = false;
#endif

/// Bytes of this process's memory: "VmRSS" now, "VmHWM" at most so far.
inline std::size_t resident_bytes(std::string const& which) {
  auto status = std::ifstream{"/proc/self/status"};
  std::size_t kib = 0;
  for (std::string word; status >> word;)
    if (word == which + ":") status >> kib;
  return kib * 1024;
}

/// How much more memory than before a process of its own takes at most while it runs `action`; a typed
/// error of it is no failure here.
template <class Action>
std::size_t peak_memory_of(Action const& action) {
  if (sanitized) {
    MESSAGE("skipped: memory is not measured under a sanitizer");
    return 0;
  }
  int report[2];
  REQUIRE(::pipe(report) == 0);
  auto const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::malloc_trim(0);
    std::ofstream{"/proc/self/clear_refs"} << 5 << std::flush;  // the peak begins anew
    auto const before = resident_bytes("VmRSS");
    try {
      action();
    } catch (error const&) {
    }
    auto const more = resident_bytes("VmHWM") - before;
    ::_exit(::write(report[1], &more, sizeof more) == sizeof more ? 0 : 1);
  }
  std::size_t more = 0;
  CHECK(::read(report[0], &more, sizeof more) == sizeof more);
  ::close(report[0]);
  ::close(report[1]);
  ::waitpid(child, nullptr, 0);
  return more;
}

}  // namespace consistency::test
