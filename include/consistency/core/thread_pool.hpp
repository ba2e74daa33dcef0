// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <consistency/core/error.hpp>
#include <consistency/core/executor.hpp>
#include <consistency/core/fork.hpp>
#include <consistency/core/memory.hpp>
#include <consistency/core/processor.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/core/sleepers.hpp>
#include <consistency/core/wait.hpp>

namespace consistency {

/// Threads that share the chunks of one loop at a time. Callers cut work by shape, never by thread count, so
/// the number of threads changes no bit of a result. A child of fork() starts threads of its own at its first
/// loop.
///
/// A loop is over when its chunks are done. A thread first takes a chunk, by counting remaining_ down, and
/// only then reads whose chunk it is: a loop cannot end before a chunk that was taken is done, and a thread
/// that comes late finds nothing to take, or a chunk of the loop that runs by now.
class ThreadPool {
 public:
  /// The most threads that a pool may have.
  static constexpr unsigned most = 1024;

  /// The process-wide pool, with a thread for each core or as many as the system gives. It is never
  /// destroyed; its threads leave when the process ends or the library is unloaded, unless they are at work.
  static ThreadPool& instance() {
    static auto& pool = made();
    return pool;
  }

  /// `caches`: whether each of its threads but the caller's keeps the memory that it works with, a
  /// MemoryCache. Throws as resize() does.
  explicit ThreadPool(unsigned threads, bool caches = false) : caches_{caches} { resize(threads); }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;
  ~ThreadPool() {
    if (ours(false)) shrink(1);
  }

  /// Total number of threads, the caller's included.
  unsigned size() const noexcept { return threads_.load(std::memory_order_relaxed); }

  /// From any thread, and while loops run: waits for the chunks at which threads that leave are at work.
  /// Throws config_error for 0 threads, more than `most`, or inside a chunk; resource_error where the system
  /// gives fewer, and then the pool is as before.
  void resize(unsigned threads) {
    if (threads == 0 || threads > most)
      fail<config_error>("ThreadPool", "number of threads", number_text(threads), "1 to " + number_text(most),
                         "Use 1 for no extra threads, and no more than there are cores.");
    if (place() != Place::outside)
      fail<config_error>("ThreadPool", "number of threads set inside a chunk of a loop", number_text(threads),
                         "a call outside of loops", "Set the number of threads before the loop.");
    while (!ours(true)) std::this_thread::yield();
    auto const lock = std::scoped_lock{resizing_};
    auto const before = size();
    if (threads <= before) return shrink(threads);
    if (auto const had = grow(threads); had < threads) {
      shrink(before);
      fail<resource_error>(
          "ThreadPool", "the system gives no more threads", number_text(had), number_text(threads),
          "Use at most " + number_text(had) + "; there are " + number_text(before) + " as before.");
    }
  }

  /// Calls body(i) for every i of [0, chunks), each once, in any order and on any thread; rethrows the first
  /// exception. Inside a chunk, or when another thread's loop holds the pool, the loop runs on its caller.
  template <class Body>
  void run(Index chunks, Body const& body) {
    run(chunks, loop_call<Body>, &body);
  }
  void run(Index chunks, LoopCall call, void const* body) {
    if (chunks <= 1 || size() == 1 || place() == Place::shared || !enter()) {
      auto const inside = Inside{Place::alone};
      for (Index i = 0; i < chunks; ++i) call(body, i);
      return;
    }
    run_shared(chunks, call, body);
  }

 private:
  /// Where the thread is: a loop inside a chunk of a shared loop runs on its caller.
  enum class Place : std::uint8_t { outside, alone, shared };
  static Place& place() noexcept {
    thread_local auto here = Place::outside;
    return here;
  }
  class Inside {
   public:
    explicit Inside(Place now) noexcept : before_{std::exchange(place(), std::max(now, place()))} {}
    Inside(Inside const&) = delete;
    Inside& operator=(Inside const&) = delete;
    ~Inside() { place() = before_; }

   private:
    Place before_;
  };

  ThreadPool() noexcept { grow(std::min(cores(), most)); }

  static ThreadPool& made() {
    auto& pool = *new ThreadPool;
    std::atexit([] { instance().leave(); });
    return pool;
  }

  void run_shared(Index chunks, LoopCall call, void const* body) {
    auto const inside = Inside{Place::shared};
    auto const born = forks();
    call_ = call;
    body_ = body;
    chunks_ = chunks;
    failed_.store(false, std::memory_order_relaxed);
    unfinished_.store(chunks, std::memory_order_relaxed);
    remaining_.store(chunks - 1, std::memory_order_release);  // chunk 0 is the caller's
    sleepers_.announce();
    sleepers_.call_one(remaining_, size() - 1);
    finish(compute(0) + drain(0));
    await(born);
    auto const failure = failed_.load(std::memory_order_relaxed) ? std::exchange(failure_, nullptr) : nullptr;
    open_.store(false, std::memory_order_release);
    if (failure) std::rethrow_exception(failure);
  }

  /// Holds the pool for a loop, if no other loop does.
  bool enter() noexcept {
    return ours(true) && !open_.load(std::memory_order_relaxed) &&
           !open_.exchange(true, std::memory_order_acquire);
  }

  /// Computes chunk i. Returns how many chunks are over by that: the rest too, if it throws.
  Index compute(Index i) noexcept {
    try {
      call_(body_, i);
      return 1;
    } catch (...) {
      if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
      return 1 + std::max<Index>(0, remaining_.exchange(0, std::memory_order_relaxed));
    }
  }

  /// Takes and computes chunks until none is left, or the thread is to leave. Returns how many are over by
  /// that.
  Index drain(unsigned thread) noexcept {
    Index over = 0;
    while (thread < size() && remaining_.load(std::memory_order_relaxed) > 0)
      if (auto const left = remaining_.fetch_sub(1, std::memory_order_acquire); left > 0)
        over += compute(chunks_ - left);
    return over;
  }

  void finish(Index over) noexcept {
    if (unfinished_.fetch_sub(over) == over && sleeps_.load() == 1 && sleeps_.exchange(0) == 1)
      wake_one(sleeps_);
  }

  /// Waits until every chunk that another thread took is done.
  void await(unsigned born) {
    for (int i = 0; i < spins_.load(std::memory_order_relaxed); ++i) {
      if (unfinished_.load(std::memory_order_acquire) == 0) return;
      pause();
    }
    if (forks() != born)
      fail<config_error>(
          "ThreadPool", "fork() inside a chunk of a loop", "chunks that are computed in the parent alone",
          "a child that ends, or calls exec, within the chunk", "Call fork() outside of loops.");
    while (unfinished_.load() != 0) {
      sleeps_.store(1);
      if (unfinished_.load() != 0) wait_while(sleeps_, 1);
    }
    sleeps_.store(0, std::memory_order_relaxed);
  }

  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  /// A thread of the pool: sleeps until it is called, then helps for as long as there is something to do.
  void work(unsigned thread, unsigned born) noexcept {
    place() = Place::shared;
    ExecutorScope const loops{*this};
    std::optional<MemoryCache> cache;
    std::optional<MemoryCache::Scope> caching;
    if (caches_) caching.emplace(cache.emplace());
    StoppedTime stopped;
    auto helps = false;
    int spins = 0;
    while (forks() == born) {
      auto const seen = sleepers_.announced(std::memory_order_acquire);
      if (thread >= size()) return;
      if (helps) {
        if (auto const over = drain(thread); over > 0) {
          finish(over);
          sleepers_.has_helped();
          spins = 0;
        }
        if (!sleepers_.was_stopped(stopped.since(), size() - 1)) {
          for (; spins < spins_.load(std::memory_order_relaxed); ++spins) {
            if (sleepers_.announced() != seen) break;
            pause();
          }
          if (sleepers_.announced() != seen) continue;
        }
      }
      sleepers_.sleep(seen);
      spins = 0;
      helps = thread < size() && !sleepers_.meets_caller(size() - 1);
      if (helps) sleepers_.call_one(remaining_, size() - 1);
      stopped.restart();
    }
  }

  /// Starts threads until there are as many, or the system gives no more; returns how many there are.
  unsigned grow(unsigned threads) noexcept {
    auto have = size();
    threads_.store(threads);  // before they start: those beyond the number leave
    try {
      for (; have < threads; ++have)
        workers_[have] = std::thread{[this, have, born = forks()] { work(have, born); }};
    } catch (std::exception const&) {  // std::system_error, or no memory
      threads_.store(have);
    }
    spins_.store(have <= cores() ? most_spins : 1);
    return have;
  }

  /// Lets threads leave until there are as many.
  void shrink(unsigned threads) noexcept {
    auto const before = threads_.exchange(threads);
    sleepers_.wake_all();
    for (auto i = threads; i < before; ++i) workers_[i].join();
    spins_.store(threads <= cores() ? most_spins : 1);
  }

  /// In a child of fork(), which has none of its parent's threads, makes the pool anew, with threads of its
  /// own if they are wanted. False while another thread does so.
  bool ours(bool wanted) noexcept {
    auto const now = 2 * forks();
    auto made = made_.load(std::memory_order_acquire);
    if (made == now) return true;
    if (made == now + 1 || !made_.compare_exchange_strong(made, now + 1)) return false;
    for (auto& worker : workers_) new (&worker) std::thread;
    new (&resizing_) std::mutex;
    open_.store(false);
    remaining_.store(0);
    sleepers_.reset();
    sleeps_.store(0);
    auto const threads = threads_.exchange(1);
    if (wanted) grow(threads);
    made_.store(now, std::memory_order_release);
    return true;
  }

  /// The end of the process, perhaps by std::exit in a chunk.
  void leave() noexcept {
    if (place() != Place::outside || !ours(false) || open_.exchange(true)) return;
    if (auto const lock = std::unique_lock{resizing_, std::try_to_lock}) shrink(1);
    open_.store(false);
  }

  static constexpr int most_spins = 2000;  // 25 µs, of which small loops follow each other within

  std::array<std::thread, most> workers_;  // the first is the caller's, and empty
  std::mutex resizing_;
  std::atomic<unsigned> threads_{1};
  std::atomic<unsigned> made_{2 * forks()};  // in which process; odd while it is made anew
  std::atomic<int> spins_{1};
  Sleepers sleepers_;
  std::atomic<bool> open_{false};
  alignas(64) std::atomic<Index> remaining_{0};  // chunks that nobody has taken; less than 1 for none
  LoopCall call_ = nullptr;
  void const* body_ = nullptr;
  Index chunks_ = 0;
  alignas(64) std::atomic<Index> unfinished_{0};
  WaitWord sleeps_{0};  // 1 while the caller waits asleep
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  bool caches_ = false;
};
static_assert(Executor<ThreadPool>);

}  // namespace consistency
