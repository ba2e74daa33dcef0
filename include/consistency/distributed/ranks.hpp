// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/distributed/self_communicator.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// A rank's place in a batch that is spread over all of them.
struct Share {
  std::uint32_t first = 0;  ///< samples of the ranks before it
  double weight = 1;        ///< its samples / those of all: of its mean in the mean over all
};

/// What all ranks do together, or fail to do together: an error on one of them is thrown on each, with its
/// own type and the name of that rank, so that none waits for another that has left. What the communicator
/// throws is told with the step. One process alone calls what it is given and does nothing else.
template <Communicator C>
class Ranks {
 public:
  static constexpr bool alone = std::same_as<C, SelfCommunicator>;

  explicit Ranks(C communicator)
      : communicator_{std::move(communicator)},
        numbers_(alone ? 0 : static_cast<std::size_t>(communicator_.size())) {}

  C const& communicator() const noexcept { return communicator_; }
  C& communicator() noexcept { return communicator_; }

  /// From now on errors of the communicator name this step.
  void at_step(Index step) noexcept { step_ = step; }

  /// action() on every rank.
  template <class Action>
  void together(Action const& action) {
    total([&] {
      action();
      return 0.0;
    });
  }

  /// The sum of action(), a finite number, over the ranks.
  template <class Action>
  double total(Action const& action) {
    if constexpr (alone) {
      return action();
    } else {
      gather(action);
      auto sum = numbers_[0];
      for (std::size_t r = 1; r < numbers_.size(); ++r) sum += numbers_[r];
      return sum;
    }
  }

  /// The place of a rank that has count() samples. Throws config_error for more than 2^32 on all ranks.
  template <class Count>
  Share share(Count const& count) {
    if constexpr (alone) {
      count();
      return {};
    } else {
      gather([&] { return static_cast<double>(count()); });
      double before = 0, all = 0;
      for (std::size_t r = 0; r < numbers_.size(); all += numbers_[r++])
        if (r == static_cast<std::size_t>(communicator_.rank())) before = all;
      // The same on every rank, so that all of them throw.
      static_cast<void>(counted("Ranks", "samples of all ranks", 0, static_cast<Index>(all)));
      return {static_cast<std::uint32_t>(before),
              numbers_[static_cast<std::size_t>(communicator_.rank())] / all};
    }
  }

  /// x ← the sum of x over the ranks.
  template <class X>
  void sum(X& x) {
    if constexpr (SumsInPlace<C, X>) {
      call([&] { communicator_.sum(x); });
    } else if constexpr (!alone) {
      auto numbers = to<Cpu>(x);
      call([&] { communicator_.sum(numbers.mutable_values()); });
      if constexpr (!std::same_as<typename X::Backend, Cpu>) x.assign(to<typename X::Backend>(numbers));
    }
  }

  /// Throws distributed_error on every rank unless all have the same `bytes`.
  void require_same(char const* what, std::span<std::byte const> bytes) {
    if constexpr (!alone) {
      auto const check = [&](double mine) {
        call([&] { communicator_.gather(mine, numbers_); });
        auto const other =
            std::find_if(numbers_.begin(), numbers_.end(), [&](double n) { return n != numbers_[0]; });
        if (other != numbers_.end()) differ(what, static_cast<int>(other - numbers_.begin()));
      };
      check(static_cast<double>(bytes.size()));
      auto first = std::vector<std::byte>(bytes.begin(), bytes.end());
      call([&] { communicator_.broadcast(first, 0); });
      check(std::equal(bytes.begin(), bytes.end(), first.begin()) ? 0 : 1);
    }
  }

 private:
  struct Failure {
    ErrorCode code = ErrorCode::distributed;
    ErrorReport report;
  };

  /// operation() of the communicator, whose errors get the step's name.
  template <class Operation>
  void call(Operation const& operation) const {
    try {
      operation();
    } catch (distributed_error const& e) {
      if (!step_) throw;
      auto report = e.report();
      report.where += ", step " + number_text(*step_);
      throw distributed_error{report};
    }
  }

  /// Every rank's action() into numbers_.
  template <class Action>
  void gather(Action const& action) {
    auto mine = std::numeric_limits<double>::quiet_NaN();
    Failure failure;
    try {
      mine = action();
    } catch (error const& e) {
      failure = {e.code(), e.report()};
    } catch (std::exception const& e) {
      failure.report.what = e.what();
    }
    call([&] { communicator_.gather(mine, numbers_); });
    auto const failed =
        std::find_if(numbers_.begin(), numbers_.end(), [](double n) { return std::isnan(n); });
    if (failed != numbers_.end()) fail_everywhere(static_cast<int>(failed - numbers_.begin()), failure);
  }

  /// Throws the failure of `rank`, told to all by one message: the code, then five texts that end with 0.
  [[noreturn]] void fail_everywhere(int rank, Failure const& failure) {
    constexpr std::size_t longest = 400;
    auto const& r = failure.report;
    auto message = std::string{static_cast<char>(failure.code)};
    for (auto const* text : {&r.where, &r.what, &r.found, &r.expected, &r.advice})
      message += text->substr(0, longest) + '\0';
    message.resize(1 + 5 * (longest + 1));
    call([&] { communicator_.broadcast(std::as_writable_bytes(std::span{message}), rank); });
    std::size_t at = 1;
    auto const next = [&] {
      auto const text = std::string{message.c_str() + at};
      at += text.size() + 1;
      return text;
    };
    auto report = ErrorReport{next(), next(), next(), next(), next()};
    report.where = name(rank) + (report.where.empty() ? "" : ", " + report.where);
    throw_error(static_cast<ErrorCode>(message[0]), report);
  }

  [[noreturn]] void differ(char const* what, int rank) const {
    fail<distributed_error>(name(rank), what, "others than those of rank 0", "the same on every rank",
                            "Build method, optimizer, parameters and settings from the same "
                            "numbers on every rank; load the same checkpoint.");
  }

  std::string name(int rank) const {
    return "rank " + number_text(rank) + " of " + number_text(communicator_.size());
  }

  C communicator_;
  std::vector<double> numbers_;  // one of each rank
  std::optional<Index> step_;
};

}  // namespace consistency
