// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace consistency::test {

/// What the process has asked for until now: of the heap, by operator new and by C functions alike, of the
/// system for the library's pool, and locks. Under a sanitizer, which has hooks of its own, `heap` and
/// `locks` stay 0.
struct Counts {
  long heap;
  std::uint64_t pool;
  long locks = 0;
  friend bool operator==(Counts const&, Counts const&) = default;
};
Counts now();

/// Whether `heap` and `locks` count.
bool counts_heap();

}  // namespace consistency::test
