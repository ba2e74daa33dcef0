// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/distributed/deadline.hpp>
#include <consistency/distributed/shard.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "../support/thread_communicator.hpp"
#include "../training/state.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr Index steps = 50;

struct Trained {
  TrainingState<Tensor<float>> state;
  std::vector<StepReport> reports;
};

template <Communicator C>
Trained trained(C communicator) {
  auto t = trainer({}, communicator);
  std::vector<StepReport> reports;
  for (Index k = 0; k < steps; ++k) reports.push_back(t.step(shard(global_batch(k), communicator)));
  return {t.state(), reports};
}

/// What every rank of `results` threw has the type of Code and holds all of `words`.
template <ErrorCode Code>
void check_all_rejected(auto const& results, std::initializer_list<std::string_view> words) {
  for (auto const& error : results.errors)
    check_fails<Code>(
        [&] {
          if (error) std::rethrow_exception(error);
        },
        words);
}

/// Two ranks, of which the second makes its trainer from `other`.
auto with_other(Run const& other) {
  return on_ranks(2, [&](ThreadCommunicator c) {
    trainer(c.rank() == 0 ? Run{} : other, c);
    return 0;
  });
}

}  // namespace

TEST_CASE("a trainer with a communicator of one process alone does what one without does") {
  auto plain = trainer({});
  auto const self = trained(SelfCommunicator{});
  for (Index k = 0; k < steps; ++k) plain.step(global_batch(k));
  CHECK(same_state(plain.state(), self.state));
}

TEST_CASE("one rank of a group has the bits of one process alone") {
  auto const self = trained(SelfCommunicator{});
  auto const group = on_ranks(1, [](ThreadCommunicator c) { return trained(c); });
  REQUIRE(group.values[0]);
  CHECK(same_state(group.values[0]->state, self.state));
  for (std::size_t k = 0; k < self.reports.size(); ++k) {
    CHECK(group.values[0]->reports[k].loss == self.reports[k].loss);
    CHECK(group.values[0]->reports[k].gradient_norm == self.reports[k].gradient_norm);
  }
}

TEST_CASE("ranks train as one process on the global batch, with the same bits each and on repeat") {
  auto const one = trained(SelfCommunicator{});
  for (int const size : {2, 3, 10}) {
    CAPTURE(size);
    auto const run = [&] { return on_ranks(size, [](ThreadCommunicator c) { return trained(c); }); };
    auto const first = run();
    auto const again = run();
    for (std::size_t r = 0; r < first.values.size(); ++r) {
      REQUIRE(first.values[r]);
      REQUIRE(again.values[r]);
      CHECK(same_state(first.values[r]->state, first.values[0]->state));
      CHECK(same_state(first.values[r]->state, again.values[0]->state));
      for (std::size_t k = 0; k < one.reports.size(); ++k) {
        auto const& report = first.values[r]->reports[k];
        CHECK(relative_error(report.loss, one.reports[k].loss) < 1e-5);
        CHECK(relative_error(report.gradient_norm, one.reports[k].gradient_norm) < 1e-5);
        CHECK(report.loss == first.values[0]->reports[k].loss);
      }
    }
    auto const& theta = first.values[0]->state.theta.flat();
    CHECK(distance(theta, one.state.theta.flat()) < 1e-5 * magnitude(one.state.theta.flat()));
  }
}

TEST_CASE("a communicator that adds tensors where they lie is given the gradient itself, once a step") {
  struct InPlace : ThreadCommunicator {
    using ThreadCommunicator::sum;
    void sum(Tensor<float>& x) {
      ++*sums;
      ThreadCommunicator::sum(x.mutable_values());
    }
    Index* sums;
  };
  static_assert(SumsInPlace<InPlace, Tensor<float>> && !SumsInPlace<ThreadCommunicator, Tensor<float>>);
  auto const through_spans = on_ranks(2, [](ThreadCommunicator c) { return trained(c); });
  auto const in_place = on_ranks(2, [](ThreadCommunicator c) {
    Index sums = 0;
    auto result = trained(InPlace{c, &sums});
    CHECK(sums == steps);
    return result;
  });
  REQUIRE(in_place.values[1]);
  CHECK(same_state(in_place.values[1]->state, through_spans.values[1]->state));
}

TEST_CASE("a bad batch on one rank is rejected on every rank by its name and leaves the state as it was") {
  auto const results = on_ranks(3, [](ThreadCommunicator c) {
    auto t = trainer({}, c);
    t.step(shard(global_batch(0), c));
    auto const before = t.state();
    auto bad = shard(global_batch(1), c).clone();
    if (c.rank() == 1) bad.mutable_data()[2] = std::numeric_limits<float>::quiet_NaN();
    std::exception_ptr failure;
    try {
      t.step(bad);
    } catch (dataset_error const&) {
      failure = std::current_exception();
    }
    CHECK(same_state(t.state(), before));
    t.step(shard(global_batch(1), c));
    if (failure) std::rethrow_exception(failure);
    return 0;
  });
  check_all_rejected<ErrorCode::dataset>(results,
                                         {"rank 1 of 3", "sample 1 of the batch", "Check the data set"});
}

TEST_CASE("a rank without samples is rejected on every rank") {
  auto const results = on_ranks(3, [](ThreadCommunicator c) {
    trainer({}, c).step(shard(global_batch(0).view(0, Shape{2, 2}), c));
    return 0;
  });
  check_all_rejected<ErrorCode::dataset>(results, {"rank 0 of 3", "no data"});
}

TEST_CASE("a batch of another shape on one rank is rejected on every rank") {
  auto const results = on_ranks(2, [](ThreadCommunicator c) {
    auto t = trainer({}, c);
    t.step(c.rank() == 0 ? global_batch(0) : Tensor<float>{Shape{4, 3}, 0.5F});
    return 0;
  });
  check_all_rejected<ErrorCode::shape>(results, {"rank 1 of 2"});
}

TEST_CASE("impossible settings on one rank are rejected on every rank") {
  check_all_rejected<ErrorCode::config>(with_other({.settings = {.ema = 2}}),
                                        {"rank 1 of 2", "ema", "found 2,"});
}

TEST_CASE("ranks that differ are rejected when the trainer is made") {
  auto const check = [](Run const& other, std::string_view what) {
    check_all_rejected<ErrorCode::distributed>(with_other(other),
                                               {"rank 1 of 2", what, "same on every rank"});
  };
  check({.width = 32}, "names and shapes of parameters");
  check({.theta_seed = 2}, "parameters");
  check({.learning_rate = 2e-3}, "settings");
  check({.mu = 0.8}, "settings");
  check({.settings = {.ema = 0.98, .clip = 0.05, .key = {5}}}, "settings");
  check({.settings = {.ema = Average::constant(0.99), .clip = 0.05, .key = {5}}}, "settings");
  check({.settings = {.ema = 0.99, .clip = 0.06, .key = {5}}}, "settings");
  check({.settings = {.ema = 0.99, .clip = 0.05, .key = {6}}}, "seed");
}

TEST_CASE("an update or a state that is not finite is rejected on every rank, and the ranks are as before") {
  auto const update = on_ranks(2, [](ThreadCommunicator c) {
    auto t = trainer({.learning_rate = 1e39}, c);
    auto const before = t.state();
    try {
      t.step(shard(global_batch(0), c));
    } catch (numeric_error const&) {
      if (!same_state(t.state(), before)) throw std::runtime_error{"the state has changed"};
      throw;
    }
    return 0;
  });
  check_all_rejected<ErrorCode::numeric>(update, {"rank 0 of 2", "theta, ", "learning rate"});
  auto const resumed = on_ranks(2, [](ThreadCommunicator c) {
    auto t = trainer({}, c);
    auto state = t.state();
    if (c.rank() == 1) state.at("second_moment").flat().mutable_data()[0] = -1;
    t.resume(state);
    return 0;
  });
  check_all_rejected<ErrorCode::numeric>(resumed, {"rank 1 of 2", "second_moment, ", "-1"});
}

TEST_CASE("ranks that resume from different states are rejected") {
  auto saved = trainer({});
  auto const early = saved.state();
  saved.step(global_batch(0));
  auto const results = on_ranks(2, [&](ThreadCommunicator c) {
    auto t = trainer({}, c);
    t.resume(c.rank() == 0 ? saved.state() : early);
    return 0;
  });
  check_all_rejected<ErrorCode::distributed>(results, {"rank 1 of 2", "steps done"});
}

TEST_CASE("an error that is not the library's own reaches every rank") {
  auto const results = on_ranks(2, [](ThreadCommunicator c) {
    Ranks{c}.together([&] {
      if (c.rank() == 1) throw std::runtime_error{"the disk is full"};
    });
    return 0;
  });
  check_all_rejected<ErrorCode::distributed>(results, {"rank 1 of 2", "the disk is full"});
}

TEST_CASE("a long error is cut, not lost, on its way to the other ranks") {
  auto const results = on_ranks(2, [](ThreadCommunicator c) {
    Ranks{c}.together([&] {
      if (c.rank() == 1)
        fail<io_error>("a file", std::string(5000, 'x'), "this", "that", "Look at its name.");
    });
    return 0;
  });
  check_all_rejected<ErrorCode::io>(results, {"rank 1 of 2, a file: xxx", "found this", "Look at its name."});
}

TEST_CASE(
    "a rank that does not come in time is an error that names the step, on all ranks, which keep their "
    "state") {
  auto gave_up = std::atomic{0};
  auto const results = on_ranks(3,
                                [&](ThreadCommunicator c) {
                                  auto t = trainer({}, c);
                                  t.step(shard(global_batch(0), c));
                                  auto const before = t.state();
                                  while (c.rank() == 1 && gave_up < 2)
                                    std::this_thread::sleep_for(std::chrono::milliseconds{5});
                                  std::exception_ptr failure;
                                  for (auto again = 0; again < 2; ++again) {
                                    try {
                                      t.step(shard(global_batch(1), c));
                                    } catch (distributed_error const&) {
                                      failure = std::current_exception();
                                    }
                                    CHECK(same_state(t.state(), before));
                                  }
                                  ++gave_up;
                                  if (failure) std::rethrow_exception(failure);
                                  return 0;
                                },
                                {.seconds = 2});
  check_all_rejected<ErrorCode::distributed>(results, {"gather, step 1", "lost", "2 s"});
}

TEST_CASE("a deadline that is not more than 0 is rejected") {
  for (auto const seconds : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    check_fails<ErrorCode::config>([&] { Deadline{seconds}.check(); },
                                   {"Deadline", "seconds", number_text(seconds), "more than 0"});
}
