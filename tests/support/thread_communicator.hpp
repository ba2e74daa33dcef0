#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/distributed/communicator.hpp>

namespace consistency::test {

/// Ranks that are threads of this process: what MPI does, without a launcher.
class ThreadCommunicator {
 public:
  struct Group {
    explicit Group(int size) : slots(static_cast<std::size_t>(size)), barrier{size} {}
    std::vector<void*> slots;  // what each rank has to show; null: it has left
    std::barrier<> barrier;
  };

  ThreadCommunicator(Group& group, int rank) : group_{&group}, rank_{rank} {}

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return static_cast<int>(group_->slots.size()); }

  void sum(std::span<float> numbers) { sum_of(numbers); }
  void sum(std::span<double> numbers) { sum_of(numbers); }
  void gather(double mine, std::span<double> all) {
    show(&mine);
    for (std::size_t r = 0; r < all.size(); ++r) all[r] = *of<double>(r);
    group_->barrier.arrive_and_wait();
  }
  void broadcast(std::span<std::byte> bytes, int from) {
    show(bytes.data());
    auto const* const first = of<std::byte>(static_cast<std::size_t>(from));
    auto const copy = std::vector<std::byte>(first, first + bytes.size());
    group_->barrier.arrive_and_wait();
    std::copy(copy.begin(), copy.end(), bytes.begin());
  }
  void leave() {
    group_->slots[static_cast<std::size_t>(rank_)] = nullptr;
    group_->barrier.arrive_and_drop();
  }

 private:
  template <class S>
  void sum_of(std::span<S> numbers) {
    show(numbers.data());
    auto total = std::vector<S>(of<S>(0), of<S>(0) + numbers.size());
    for (std::size_t r = 1; r < group_->slots.size(); ++r)
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += of<S>(r)[i];
    group_->barrier.arrive_and_wait();
    std::copy(total.begin(), total.end(), numbers.begin());
  }
  void show(void* mine) {
    group_->slots[static_cast<std::size_t>(rank_)] = mine;
    group_->barrier.arrive_and_wait();
  }
  template <class S>
  S* of(std::size_t rank) const {
    if (group_->slots[rank] == nullptr)
      throw distributed_error{{.where = "ThreadCommunicator",
                               .what = "rank " + std::to_string(rank),
                               .found = "it has left",
                               .expected = "all ranks",
                               .advice = ""}};
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
auto on_ranks(int size, Body const& body) {
  using Result = decltype(body(std::declval<ThreadCommunicator>()));
  auto group = ThreadCommunicator::Group{size};
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
