// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/distributed/communicator.hpp>
#include <consistency/distributed/deadline.hpp>

namespace consistency::test {

/// Where as many threads as have not left wait for each other, until a deadline.
class Meeting {
 public:
  explicit Meeting(int size) : expected_{size} {}

  /// False where not all came in time, now and from then on.
  bool arrive_and_wait(double seconds) {
    auto lock = std::unique_lock{mutex_};
    auto const now = round_;
    ++arrived_;
    next_round_if_all();
    over_ = !all_.wait_for(lock, std::chrono::duration<double>{seconds}, [&] {
      return over_ || round_ != now;
    }) || over_;
    if (over_) all_.notify_all();
    return !over_;
  }
  void leave() {
    auto const lock = std::unique_lock{mutex_};
    --expected_;
    next_round_if_all();
  }

 private:
  void next_round_if_all() {
    if (arrived_ != expected_) return;
    arrived_ = 0;
    ++round_;
    all_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable all_;
  int expected_, arrived_ = 0, round_ = 0;
  bool over_ = false;
};

/// Ranks that are threads of this process: what MPI does, without a launcher.
class ThreadCommunicator {
 public:
  struct Group {
    explicit Group(int size, Deadline limit = {})
        : slots(static_cast<std::size_t>(size)), meeting{size}, deadline{limit} {}
    std::vector<void*> slots;  // what each rank has to show; null: it has left
    Meeting meeting;
    Deadline deadline;
  };

  ThreadCommunicator(Group& group, int rank) : group_{&group}, rank_{rank} {}

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return static_cast<int>(group_->slots.size()); }

  void sum(std::span<float> numbers) { sum_of(numbers); }
  void sum(std::span<double> numbers) { sum_of(numbers); }
  void gather(double mine, std::span<double> all) {
    show(&mine, "gather");
    for (std::size_t r = 0; r < all.size(); ++r) all[r] = *of<double>(r);
    meet("gather");
  }
  void broadcast(std::span<std::byte> bytes, int from) {
    show(bytes.data(), "broadcast");
    auto const* const first = of<std::byte>(static_cast<std::size_t>(from));
    auto const copy = std::vector<std::byte>(first, first + bytes.size());
    meet("broadcast");
    std::copy(copy.begin(), copy.end(), bytes.begin());
  }
  void leave() {
    group_->slots[static_cast<std::size_t>(rank_)] = nullptr;
    group_->meeting.leave();
  }

 private:
  template <class S>
  void sum_of(std::span<S> numbers) {
    show(numbers.data(), "sum");
    auto total = std::vector<S>(of<S>(0), of<S>(0) + numbers.size());
    for (std::size_t r = 1; r < group_->slots.size(); ++r)
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += of<S>(r)[i];
    meet("sum");
    std::copy(total.begin(), total.end(), numbers.begin());
  }
  void show(void* mine, char const* operation) {
    group_->slots[static_cast<std::size_t>(rank_)] = mine;
    meet(operation);
  }
  void meet(char const* operation) {
    auto const seconds = group_->deadline.seconds;
    if (!group_->meeting.arrive_and_wait(seconds))
      fail<distributed_error>("rank " + std::to_string(rank_) + ", " + operation, "a rank was lost",
                              "no answer for " + number_text(seconds) + " s", "all ranks");
  }
  template <class S>
  S* of(std::size_t rank) const {
    if (group_->slots[rank] == nullptr)
      fail<distributed_error>("ThreadCommunicator", "rank " + std::to_string(rank), "it has left",
                              "all ranks");
    return static_cast<S*>(group_->slots[rank]);
  }

  Group* group_;
  int rank_;
};

static_assert(Communicator<ThreadCommunicator>);

/// body(communicator) on `size` threads. What it returned and what it threw, one of each rank.
template <class Result>
struct RankResults {
  std::vector<std::optional<Result>> values;
  std::vector<std::exception_ptr> errors;
};

template <class Body>
auto on_ranks(int size, Body const& body, Deadline deadline = {}) {
  using Result = decltype(body(std::declval<ThreadCommunicator>()));
  auto group = ThreadCommunicator::Group{size, deadline};
  auto results = RankResults<Result>{};
  results.values.resize(static_cast<std::size_t>(size));
  results.errors.resize(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < size; ++r)
      threads.emplace_back([&, r] {
        auto communicator = ThreadCommunicator{group, r};
        auto const i = static_cast<std::size_t>(r);
        try {
          results.values[i] = body(communicator);
        } catch (...) {
          results.errors[i] = std::current_exception();
        }
        communicator.leave();
      });
  }
  return results;
}

}  // namespace consistency::test
