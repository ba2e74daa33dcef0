// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/shape.hpp>
#include <consistency/core/thread_pool.hpp>

namespace consistency {

/// Number of threads that this thread's loops use (default: one per core that the process may use).
inline unsigned threads() { return ThreadPool::current().size(); }
/// Of the process's pool. Throws as ThreadPool::resize.
inline void set_threads(unsigned count) { ThreadPool::instance().resize(count); }

/// body(i) for every i of [0, chunks) on the threads of the current pool. The number of chunks must depend on shapes alone.
template <class Body>
void parallel_for(Index chunks, Body const& body) {
  ThreadPool::current().run(chunks, body);
}

/// body(begin, end) over [0, count) in pieces of `grain`.
template <class Body>
void parallel_ranges(Index count, Index grain, Body const& body) {
  parallel_for((count + grain - 1) / grain,
               [&](Index i) { body(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace consistency
