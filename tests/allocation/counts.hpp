// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace consistency::test {

/// What the process has asked for until now: of the heap, by operator new and by C functions alike, and of
/// the system for the library's pool. Under a sanitizer, which has hooks of its own, `heap` stays 0.
struct Counts {
  long heap;
  std::uint64_t pool;
  friend bool operator==(Counts const&, Counts const&) = default;
};
Counts now();

/// Whether `heap` counts.
bool counts_heap();

}  // namespace consistency::test
