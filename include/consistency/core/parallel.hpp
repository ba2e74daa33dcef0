#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Threads that share the chunks of one loop at a time. Callers cut work by shape, never by thread count, so
/// the number of threads changes no bit of a result.
class ThreadPool {
 public:
  static ThreadPool& instance() {
    static ThreadPool pool{std::max(1U, std::thread::hardware_concurrency())};
    return pool;
  }

  explicit ThreadPool(unsigned threads) { resize(threads); }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;
  ~ThreadPool() { stop(); }

  /// Total number of threads, the caller's included.
  unsigned size() const noexcept { return static_cast<unsigned>(workers_.size()) + 1; }

  /// Throws config_error for 0 threads. Not to be called while a loop runs.
  void resize(unsigned threads) {
    if (threads == 0)
      throw config_error{{.where = "ThreadPool",
                          .what = "number of threads",
                          .found = "0",
                          .expected = "1 or more",
                          .advice = "Use 1 for no extra threads."}};
    if (threads == size() && !workers_.empty()) return;
    stop();
    auto const cores = std::thread::hardware_concurrency();
    spins_ = threads <= cores ? 1000 : 1;
    quit_.store(false, std::memory_order_relaxed);
    for (unsigned i = 1; i < threads; ++i)
      workers_.emplace_back([this, seen = generation_.load()] { work(seen); });
  }

  /// Calls body(i) for every i of [0, chunks), each once, in any order and on any thread; rethrows the first
  /// exception. Inside a chunk, or when another thread's loop holds the pool, the loop runs on its caller.
  template <class Body>
  void run(Index chunks, Body const& body) {
    auto const call = [](void const* erased, Index i) { (*static_cast<Body const*>(erased))(i); };
    run(chunks, call, &body);
  }

 private:
  // Without the body's type: compiled once, not for every loop of a program.
  using Call = void (*)(void const* body, Index i);

  void run(Index chunks, Call call, void const* body) {
    auto lock = std::unique_lock{busy_, std::defer_lock};
    if (chunks <= 1 || workers_.empty() || inside() || !lock.try_lock()) {
      for (Index i = 0; i < chunks; ++i) call(body, i);
      return;
    }
    call_ = call;
    body_ = body;
    chunks_ = chunks;
    failure_ = nullptr;
    next_.store(0, std::memory_order_relaxed);
    unfinished_.store(static_cast<unsigned>(workers_.size()), std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    drain();
    for (int i = 0; i < spins_ && unfinished_.load(std::memory_order_acquire) != 0; ++i) pause();
    for (auto left = unfinished_.load(std::memory_order_acquire); left != 0;
         left = unfinished_.load(std::memory_order_acquire))
      unfinished_.wait(left, std::memory_order_acquire);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  static bool& inside() {
    thread_local bool flag = false;
    return flag;
  }

  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  void drain() {
    inside() = true;
    for (auto i = next_.fetch_add(1); i < chunks_; i = next_.fetch_add(1)) {
      try {
        call_(body_, i);
      } catch (...) {
        auto const lock = std::scoped_lock{failure_mutex_};
        if (!failure_) failure_ = std::current_exception();
        next_.store(chunks_);
      }
    }
    inside() = false;
  }

  void work(std::uint32_t seen) {
    while (true) {
      for (int i = 0; i < spins_ && generation_.load(std::memory_order_acquire) == seen; ++i) pause();
      generation_.wait(seen, std::memory_order_acquire);
      seen = generation_.load(std::memory_order_acquire);
      if (quit_.load(std::memory_order_relaxed)) return;
      drain();
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    }
  }

  void stop() {
    quit_.store(true, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  std::vector<std::thread> workers_;
  std::mutex busy_, failure_mutex_;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<unsigned> unfinished_{0};
  std::atomic<Index> next_{0};
  std::atomic<bool> quit_{false};
  Call call_ = nullptr;
  void const* body_ = nullptr;
  Index chunks_ = 0;
  int spins_ = 1;
  std::exception_ptr failure_;
};

/// Number of threads that the library's loops use (default: one per core).
inline unsigned threads() { return ThreadPool::instance().size(); }
inline void set_threads(unsigned count) { ThreadPool::instance().resize(count); }

/// body(i) for every i of [0, chunks) on all threads. The number of chunks must depend on shapes alone.
template <class Body>
void parallel_for(Index chunks, Body const& body) {
  ThreadPool::instance().run(chunks, body);
}

/// body(begin, end) over [0, count) in pieces of `grain`.
template <class Body>
void parallel_ranges(Index count, Index grain, Body const& body) {
  parallel_for((count + grain - 1) / grain,
               [&](Index i) { body(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace consistency
