// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <consistency/core/parallel.hpp>

#include "../support/child.hpp"

using namespace consistency;
using test::in_child;

namespace {

std::vector<unsigned> const thread_counts{1, 2, 3, 4, 8};

/// How often each of the chunks was called.
std::vector<int> calls(ThreadPool& pool, Index chunks) {
  std::vector<std::atomic<int>> counts(static_cast<std::size_t>(chunks));
  pool.run(chunks, [&](Index i) { ++counts[static_cast<std::size_t>(i)]; });
  return {counts.begin(), counts.end()};
}

bool all_once(std::vector<int> const& counts) {
  for (auto const c : counts)
    if (c != 1) return false;
  return true;
}

Index sum_to_999(ThreadPool& pool) {
  std::atomic<Index> sum = 0;
  pool.run(1000, [&](Index i) { sum += i; });
  return sum;
}

/// A pool of two threads with a core for each, so that the helper comes though the machine is busy; none
/// where there is one core.
class Apart {
 public:
  Apart() {
    ::sched_getaffinity(0, sizeof all_, &all_);
    std::vector<int> cores;
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &all_)) cores.push_back(core);
    if (cores.size() < 2) return;
    move_to(cores[1]);
    pool = std::make_unique<ThreadPool>(2);
    move_to(cores[0]);
  }
  Apart(Apart const&) = delete;
  Apart& operator=(Apart const&) = delete;
  ~Apart() { ::sched_setaffinity(0, sizeof all_, &all_); }

  std::unique_ptr<ThreadPool> pool;

 private:
  static void move_to(int core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  cpu_set_t all_;
};

/// The thread of the pool that is not the caller, once it has taken a chunk.
pthread_t a_helper(ThreadPool& pool) {
  auto const caller = ::pthread_self();
  std::atomic<bool> found = false;
  std::atomic<pthread_t> helper = caller;
  while (!found)
    pool.run(64, [&](Index) {
      std::this_thread::sleep_for(std::chrono::microseconds{100});
      if (::pthread_equal(::pthread_self(), caller) != 0) return;
      helper = ::pthread_self();
      found = true;
    });
  return helper;
}

/// Makes the system give this process no more threads; false where it cannot be made to.
bool at_most_threads(rlim_t count) {
  auto const limit = rlimit{count, count};
  return (::geteuid() != 0 || ::setuid(65534) == 0) && ::setrlimit(RLIMIT_NPROC, &limit) == 0;
}

std::atomic<bool> held{false}, released{false};
void hold(int) {  // a signal's handler: its thread stays here
  held = true;
  while (!released) {
  }
}

}  // namespace

TEST_CASE("a loop ends when its chunks are done, though a thread that took none is kept from running") {
  Apart const apart;
  if (!apart.pool) return;
  auto& pool = *apart.pool;
  auto const helper = a_helper(pool);
  held = released = false;
  auto* const before = std::signal(SIGUSR1, hold);
  REQUIRE(::pthread_kill(helper, SIGUSR1) == 0);
  while (!held) std::this_thread::yield();
  for (int loop = 0; loop < 100; ++loop) CHECK(all_once(calls(pool, 1 + loop)));
  released = true;
  std::signal(SIGUSR1, before);
  for (int loop = 0; loop < 100; ++loop) CHECK(all_once(calls(pool, 1 + loop)));
}

TEST_CASE("a loop covers each chunk once for any number of threads") {
  for (auto const threads : thread_counts) {
    CAPTURE(threads);
    ThreadPool pool{threads};
    CHECK(pool.size() == threads);
    for (Index const chunks : {0, 1, 2, 3, 7, 8, 9, 100, 1000}) {
      CAPTURE(chunks);
      CHECK(all_once(calls(pool, chunks)));
    }
  }
}

TEST_CASE("many short loops in a row all finish") {
  for (auto const threads : thread_counts) {
    ThreadPool pool{threads};
    std::atomic<int> total = 0;
    for (int loop = 0; loop < 2000; ++loop) pool.run(5, [&](Index) { ++total; });
    CHECK(total == 10000);
  }
}

TEST_CASE("loops still work when the threads have gone to sleep in between") {
  ThreadPool pool{3};
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    CHECK(all_once(calls(pool, 10)));
  }
}

TEST_CASE("ranges cover a count without gap or overlap") {
  for (Index const count : {0, 1, 5, 64, 65, 1000}) {
    for (Index const grain : {1, 7, 64, 5000}) {
      CAPTURE(count);
      CAPTURE(grain);
      std::vector<std::atomic<int>> counts(static_cast<std::size_t>(count));
      std::atomic<bool> fits = true;
      parallel_ranges(count, grain, [&](Index begin, Index end) {
        if (begin >= end || end - begin > grain || begin % grain != 0) fits = false;
        for (auto i = begin; i < end; ++i) ++counts[static_cast<std::size_t>(i)];
      });
      CHECK(fits);
      CHECK(all_once({counts.begin(), counts.end()}));
    }
  }
}

TEST_CASE("an exception in a chunk is rethrown to the caller and the pool goes on working") {
  for (auto const threads : thread_counts) {
    CAPTURE(threads);
    ThreadPool pool{threads};
    for (int repeat = 0; repeat < 20; ++repeat) {
      CHECK_THROWS_WITH_AS(pool.run(100,
                                    [](Index i) {
                                      if (i == 37) throw std::out_of_range{"chunk 37"};
                                    }),
                           "chunk 37", std::out_of_range);
      CHECK(all_once(calls(pool, 50)));
    }
  }
}

TEST_CASE("one exception is rethrown when every chunk throws") {
  for (auto const threads : thread_counts) {
    ThreadPool pool{threads};
    CHECK_THROWS_AS(pool.run(64, [](Index) { throw std::runtime_error{"each"}; }), std::runtime_error);
    CHECK(all_once(calls(pool, 8)));
  }
}

TEST_CASE("a loop inside a chunk runs and covers its own chunks once") {
  for (auto const threads : thread_counts) {
    ThreadPool pool{threads};
    std::vector<std::atomic<int>> counts(12 * 10);
    pool.run(
        12, [&](Index i) { pool.run(10, [&](Index j) { ++counts[static_cast<std::size_t>(i * 10 + j)]; }); });
    CHECK(all_once({counts.begin(), counts.end()}));
  }
}

TEST_CASE("an exception in an inner loop reaches the outer caller") {
  ThreadPool pool{4};
  CHECK_THROWS_AS(pool.run(8,
                           [&](Index i) {
                             pool.run(8, [&](Index j) {
                               if (i == 3 && j == 5) throw std::logic_error{"inner"};
                             });
                           }),
                  std::logic_error);
  CHECK(all_once(calls(pool, 16)));
}

TEST_CASE("loops of several callers at once all finish") {
  ThreadPool pool{3};
  std::atomic<int> total = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int loop = 0; loop < 200; ++loop) pool.run(7, [&](Index) { ++total; });
    });
  for (auto& caller : callers) caller.join();
  CHECK(total == 4 * 200 * 7);
}

TEST_CASE("a pool can be resized between loops") {
  ThreadPool pool{2};
  for (unsigned const threads : {4U, 1U, 1U, 3U, 3U, 8U, 2U}) {
    pool.resize(threads);
    CHECK(pool.size() == threads);
    CHECK(all_once(calls(pool, 33)));
  }
}

TEST_CASE("a pool of no threads, or of more than the bound, is a config_error that says what is allowed") {
  ThreadPool pool{2};
  for (auto const threads : {0U, ThreadPool::most + 1, 100000U, ~0U}) {
    CAPTURE(threads);
    try {
      pool.resize(threads);
      FAIL("no error");
    } catch (config_error const& e) {
      CHECK(e.report().found == number_text(threads));
      CHECK(e.report().expected == "1 to 1024");
    }
    CHECK(pool.size() == 2);
    CHECK_THROWS_AS(ThreadPool{threads}, config_error);
    CHECK_THROWS_AS(set_threads(threads), config_error);
  }
  CHECK(all_once(calls(pool, 8)));
}

TEST_CASE("setting the number of threads inside a chunk is a config_error with any number of threads") {
  for (auto const threads : thread_counts) {
    CAPTURE(threads);
    ThreadPool pool{threads};
    CHECK_THROWS_AS(pool.run(8, [&](Index i) { pool.resize(i == 3 ? 2 : threads); }), config_error);
    CHECK_THROWS_AS(pool.run(1, [&](Index) { pool.resize(2); }), config_error);
    CHECK(pool.size() == threads);
    CHECK(all_once(calls(pool, 50)));
  }
}

TEST_CASE("the number of threads changes while loops of other threads run, and no chunk is lost") {
  ThreadPool pool{2};
  std::atomic<bool> stop = false;
  std::atomic<Index> wrong = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 2; ++c)
    callers.emplace_back([&] {
      while (!stop)
        if (sum_to_999(pool) != 499500) ++wrong;
    });
  std::vector<std::thread> setters;
  for (unsigned c = 0; c < 2; ++c)
    setters.emplace_back([&, c] {
      for (unsigned k = 0; k < 200; ++k) pool.resize(1 + (k + c) % 5);
    });
  for (auto& setter : setters) setter.join();
  stop = true;
  for (auto& caller : callers) caller.join();
  CHECK(wrong == 0);
  pool.resize(3);
  CHECK(pool.size() == 3);
  CHECK(sum_to_999(pool) == 499500);
}

TEST_CASE("a child of fork computes what its parent does, with as many threads" *
          doctest::skip(test::no_threads_in_children)) {
  for (auto const threads : thread_counts) {
    CAPTURE(threads);
    ThreadPool pool{threads};
    REQUIRE(sum_to_999(pool) == 499500);
    CHECK(in_child([&] {
            auto const right = sum_to_999(pool) == 499500 && pool.size() == threads;
            pool.resize(threads + 1);
            auto const grandchild = in_child([&] { return sum_to_999(pool) == 499500 ? 0 : 1; });
            return right && grandchild == 0 && sum_to_999(pool) == 499500 && pool.size() == threads + 1 ? 0
                                                                                                        : 1;
          }) == 0);
    CHECK(sum_to_999(pool) == 499500);
  }
}

TEST_CASE("a child of fork whose parent was in a loop on another thread has a pool that works" *
          doctest::skip(test::no_threads_in_children)) {
  ThreadPool pool{3};
  std::atomic<bool> stop = false;
  std::thread caller{[&] {
    while (!stop) sum_to_999(pool);
  }};
  for (int repeat = 0; repeat < 20; ++repeat)
    CHECK(in_child([&] { return sum_to_999(pool) == 499500 && pool.size() == 3 ? 0 : 1; }) == 0);
  stop = true;
  caller.join();
}

TEST_CASE("a child of fork may end by exit, or drop a pool that it never used" *
          doctest::skip(test::no_threads_in_children)) {
  auto const before = threads();
  set_threads(3);
  parallel_for(10, [](Index) {});
  CHECK(in_child([]() -> int { std::exit(5); }) == 5);
  CHECK(in_child([]() -> int {
          set_threads(1);
          std::exit(6);
        }) == 6);
  set_threads(before);
  auto* const pool = new ThreadPool{3};
  CHECK(in_child([&] {
          delete pool;
          return 7;
        }) == 7);
  delete pool;
}

TEST_CASE("a fork inside a chunk never hangs, and a child that lacks chunks of its parent is told so" *
          doctest::skip(test::no_threads_in_children)) {
  Apart const apart;
  if (!apart.pool) return;
  auto& pool = *apart.pool;
  auto const caller = ::pthread_self();
  int child = -1;
  while (child == -1) {  // until a helper is in a chunk at the fork
    std::atomic<bool> taken = false, done = false;
    auto told = false;
    try {
      pool.run(2, [&](Index) {
        if (::pthread_equal(::pthread_self(), caller) == 0) {
          taken = true;
          while (!done) std::this_thread::yield();
          return;
        }
        for (int i = 0; i < 20 && !taken; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{1});
        if (taken) child = ::fork();
        done = true;
      });
    } catch (config_error const&) {
      told = true;
    }
    if (child == 0) ::_exit(told && sum_to_999(pool) == 499500 ? 8 : 1);
    CHECK_FALSE(told);
    CHECK(sum_to_999(pool) == 499500);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 8);
}

TEST_CASE("std::exit inside a chunk ends the process with its status" *
          doctest::skip(test::no_threads_in_children)) {
  auto const before = threads();
  for (unsigned const count : {1U, 2U, 4U}) {
    set_threads(count);
    for (Index const at : {0, 40})
      CHECK(in_child([&] {
              parallel_for(64, [&](Index i) {
                if (i == at) std::exit(9);
                std::this_thread::sleep_for(std::chrono::microseconds{200});
              });
              return 1;
            }) == 9);
  }
  set_threads(before);
}

TEST_CASE("threads that the system does not give are a resource_error that says how many it gives" *
          doctest::skip(test::no_threads_in_children)) {
  CHECK(in_child([] {
          if (!at_most_threads(4)) return 0;
          ThreadPool pool{1};
          try {
            pool.resize(64);
            return 1;
          } catch (resource_error const& e) {
            auto const had = std::stoi(e.report().found);
            if (had < 1 || had > 4 || e.report().expected != "64") return 2;
          }
          if (pool.size() != 1 || sum_to_999(pool) != 499500) return 3;
          try {
            ThreadPool{64};
            return 4;
          } catch (resource_error const&) {
            return 0;
          }
        }) == 0);
}

TEST_CASE("a child of fork to which the system gives fewer threads goes on with those" *
          doctest::skip(test::no_threads_in_children)) {
  ThreadPool pool{8};
  CHECK(in_child([&] {
          if (!at_most_threads(4)) return 0;
          return sum_to_999(pool) == 499500 && pool.size() <= 4 ? 0 : 1;
        }) == 0);
}

TEST_CASE("the library's own pool obeys set_threads") {
  auto const before = threads();
  CHECK(before >= 1);
  set_threads(3);
  CHECK(threads() == 3);
  std::atomic<int> total = 0;
  parallel_for(100, [&](Index) { ++total; });
  CHECK(total == 100);
  set_threads(before);
}

namespace {

/// Whether a loop was computed by other threads than its caller's, too.
bool others(Index chunks) {
  std::atomic<bool> other = false;
  parallel_for(chunks, [&, caller = std::this_thread::get_id()](Index) {
    if (std::this_thread::get_id() != caller) other = true;
  });
  return other;
}

/// A host that starts a thread for every two chunks.
void on_threads(void* count, Index chunks, void (*work)(void*, Index), void* data) {
  std::vector<std::thread> all;
  for (Index i = 0; i < chunks; i += 2)
    all.emplace_back([=] {
      work(data, i);
      if (i + 1 < chunks) work(data, i + 1);
    });
  for (auto& thread : all) thread.join();
  ++*static_cast<int*>(count);
}

}  // namespace

TEST_CASE("within a scope loops run on its executor alone, and elsewhere on the process's pool") {
  set_threads(2);
  ThreadPool alone{1}, three{3};
  {
    ExecutorScope const scope{alone};
    CHECK(threads() == 1);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(others(64));
    std::thread{[] { CHECK(threads() == 2); }}.join();
    {
      ExecutorScope const inner{three};
      CHECK(threads() == 3);
      std::atomic<bool> same = true;
      parallel_for(64, [&](Index) {
        if (threads() != 3) same = false;
      });
      CHECK(same);
    }
    CHECK(threads() == 1);
  }
  CHECK(threads() == 2);
}

TEST_CASE("the host's threads compute each chunk once, with loops within a chunk on its thread") {
  int loops = 0;
  HostExecutor host{&loops, on_threads, 4};
  ExecutorScope const scope{host};
  CHECK(threads() == 4);
  std::vector<std::atomic<int>> counts(9);
  std::atomic<bool> inner = false;
  parallel_for(9, [&](Index i) {
    ++counts[static_cast<std::size_t>(i)];
    if (others(16)) inner = true;
  });
  CHECK(loops == 1);
  CHECK(all_once({counts.begin(), counts.end()}));
  CHECK_FALSE(inner);
  CHECK(others(9));
}

TEST_CASE(
    "what a chunk on the host's threads throws comes back, and a host that leaves chunks out is an error") {
  int loops = 0;
  HostExecutor host{&loops, on_threads, 4};
  ExecutorScope const scope{host};
  CHECK_THROWS_AS(parallel_for(9,
                               [](Index i) {
                                 if (i == 5) throw std::runtime_error{"chunk"};
                               }),
                  std::runtime_error);
  HostExecutor lazy{nullptr, [](void*, Index, void (*work)(void*, Index), void* data) { work(data, 0); }, 2};
  ExecutorScope const other{lazy};
  CHECK_THROWS_AS(parallel_for(9, [](Index) {}), config_error);
  CHECK_THROWS_AS((HostExecutor{nullptr, nullptr, 2}), config_error);
  CHECK_THROWS_AS((HostExecutor{nullptr, on_threads, 0}), config_error);
}
