// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/executor.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/core/thread_pool.hpp>

namespace consistency {

/// Number of threads that this thread's loops use (default: one per core that the process may use).
inline unsigned threads() {
  auto const* const own = ExecutorScope::current();
  return own != nullptr ? own->size() : ThreadPool::instance().size();
}
/// Of the process's pool. Throws as ThreadPool::resize.
inline void set_threads(unsigned count) { ThreadPool::instance().resize(count); }

/// body(i) for every i of [0, chunks), on the executor of this thread's ExecutorScope or the process's pool.
/// The number of chunks must depend on shapes alone.
template <class Body>
void parallel_for(Index chunks, Body const& body) {
  if (auto const* const own = ExecutorScope::current(); own != nullptr)
    own->run(chunks, loop_call<Body>, &body);
  else
    ThreadPool::instance().run(chunks, body);
}

/// body(begin, end) over [0, count) in pieces of `grain`.
template <class Body>
void parallel_ranges(Index count, Index grain, Body const& body) {
  parallel_for((count + grain - 1) / grain,
               [&](Index i) { body(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace consistency
