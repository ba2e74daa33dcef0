// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <concepts>
#include <exception>
#include <utility>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// One chunk of a loop, without the type of its body: compiled once, not for every loop of a program.
using LoopCall = void (*)(void const* body, Index i);
template <class Body>
inline constexpr LoopCall loop_call = [](void const* body, Index i) { (*static_cast<Body const*>(body))(i); };

/// What computes the chunks of loops: run(chunks, call, body) calls call(body, i) for every i of [0, chunks),
/// each once, in any order and on any threads, returns when all are over, and rethrows the first exception. A
/// loop within a chunk runs on its caller. Models: ThreadPool, HostExecutor.
template <class E>
concept Executor = requires(E& executor, Index chunks, LoopCall call, void const* body) {
  executor.run(chunks, call, body);
  { executor.size() } -> std::convertible_to<unsigned>;  // threads, that of the caller included
};

/// While it lives, loops of its thread are another executor's than the process's pool.
class ExecutorScope {
 public:
  template <Executor E>
  explicit ExecutorScope(E& executor) noexcept
      : executor_{&executor},
        run_{[](void* e, Index chunks, LoopCall call, void const* body) {
          static_cast<E*>(e)->run(chunks, call, body);
        }},
        size_{[](void* e) -> unsigned { return static_cast<E*>(e)->size(); }},
        before_{std::exchange(current(), this)} {}
  ExecutorScope(ExecutorScope const&) = delete;
  ExecutorScope& operator=(ExecutorScope const&) = delete;
  ~ExecutorScope() { current() = before_; }

  /// That of this thread, or null.
  static ExecutorScope const*& current() noexcept {
    thread_local ExecutorScope const* scope = nullptr;
    return scope;
  }
  void run(Index chunks, LoopCall call, void const* body) const { run_(executor_, chunks, call, body); }
  unsigned size() const { return size_(executor_); }

 private:
  void* executor_;
  void (*run_)(void* executor, Index chunks, LoopCall call, void const* body);
  unsigned (*size_)(void* executor);
  ExecutorScope const* before_;
};

/// The threads of the program that the library is in.
class HostExecutor {
 public:
  /// Calls work(data, i) for every i of [0, chunks), each once, on any threads; returns when all are over.
  using Loop = void (*)(void* host, Index chunks, void (*work)(void* data, Index i), void* data);

  /// Throws config_error for no loop or no threads.
  HostExecutor(void* host, Loop loop, unsigned threads) : host_{host}, loop_{loop}, threads_{threads} {
    if (loop == nullptr || threads == 0)
      fail<config_error>("HostExecutor", "loop and threads",
                         (loop == nullptr ? "none and " : "one and ") + number_text(threads),
                         "a function, and 1 thread or more");
  }

  unsigned size() const noexcept { return threads_; }
  /// Throws config_error where the host has not called each chunk, and else what a chunk throws.
  void run(Index chunks, LoopCall call, void const* body) {
    if (chunks <= 1 || threads_ == 1) return Alone{}.run(chunks, call, body);
    auto work = Work{.call = call, .body = body};
    loop_(
        host_, chunks, [](void* data, Index i) { static_cast<Work*>(data)->compute(i); }, &work);
    if (work.failure) std::rethrow_exception(work.failure);
    if (work.over.load() != chunks)
      fail<config_error>("HostExecutor", "calls of a loop's work", number_text(work.over.load()),
                         number_text(chunks) + ", one for each chunk, before the loop returns");
  }

 private:
  /// The caller's thread and no other.
  struct Alone {
    static unsigned size() noexcept { return 1; }
    static void run(Index chunks, LoopCall call, void const* body) {
      for (Index i = 0; i < chunks; ++i) call(body, i);
    }
  };
  struct Work {
    LoopCall call;
    void const* body;
    std::atomic<Index> over{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure{};

    void compute(Index i) noexcept {
      Alone alone;
      ExecutorScope const inside{alone};
      try {
        call(body, i);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
      ++over;
    }
  };

  void* host_;
  Loop loop_;
  unsigned threads_;
};
static_assert(Executor<HostExecutor>);

}  // namespace consistency
