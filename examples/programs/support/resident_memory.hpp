// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace example {

namespace detail {

/// Bytes of a line of /proc/self/status, such as "VmHWM:"; 0 where there is none.
inline std::int64_t memory_of_status(std::string const& name) {
  auto file = std::ifstream{"/proc/self/status"};
  for (std::string word; file >> word;)
    if (word == name) {
      std::int64_t kilobytes = 0;
      file >> kilobytes;
      return 1024 * kilobytes;
    }
  return 0;
}

}  // namespace detail

/// Bytes of this process in memory, now and at most so far.
inline std::int64_t resident_memory() { return detail::memory_of_status("VmRSS:"); }
inline std::int64_t peak_memory() { return detail::memory_of_status("VmHWM:"); }

}  // namespace example
