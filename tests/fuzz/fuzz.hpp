// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include <consistency/core/error.hpp>

namespace consistency::attack {

/// A file in memory that has a path.
class MemoryFile {
 public:
  void put(std::string_view bytes) const {
    if (::ftruncate(file_, 0) != 0 ||
        ::pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  std::string const& path() const { return path_; }

 private:
  int file_ = ::memfd_create("fuzz", 0);
  std::string path_ = "/proc/self/fd/" + std::to_string(file_);
};

/// Runs action(), which may fail with a typed error. Any other exception is a finding.
template <class Action>
void may_fail(Action const& action) {
  try {
    action();
  } catch (error const&) {
  }
}

/// A finding unless it holds.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace consistency::attack
