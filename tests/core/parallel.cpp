#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/core/parallel.hpp>

using namespace consistency;

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

}  // namespace

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

TEST_CASE("a pool of 0 threads is a config_error that says what is allowed") {
  ThreadPool pool{2};
  try {
    pool.resize(0);
    FAIL("no error");
  } catch (config_error const& e) {
    CHECK(e.report().found == "0");
    CHECK(e.report().expected == "1 or more");
  }
  CHECK(pool.size() == 2);
  CHECK_THROWS_AS(ThreadPool{0}, config_error);
  CHECK_THROWS_AS(set_threads(0), config_error);
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
