// SPDX-License-Identifier: MIT
#include <array>
#include <exception>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/cuda.hpp>
#include <consistency/distributed/nccl_communicator.hpp>
#include <consistency/distributed/shard.hpp>

#include "../../cuda/device.hpp"
#include "../../support/compare.hpp"
#include "../../support/fails.hpp"
#include "../../support/thread_communicator.hpp"
#include "../../training/state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;

/// How many of the first four GPUs there are. Leaves this thread on the first.
int gpus() {
  int count = 0;
  try {
    for (; count < 4; ++count) cuda::set_device(count);
  } catch (config_error const&) {
  }
  cuda::set_device(0);
  return count;
}

/// The state after a few steps on this rank's samples.
template <Communicator C>
TrainingState<Tensor<float>> trained(C communicator) {
  ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};
  Trainer trainer{ConsistencyTraining{.f = f}, RAdam{.learning_rate = 1e-3}, f.initialize<X>({1}),
                  TrainerSettings{.ema = 0.99, .key = {5}}, std::move(communicator)};
  for (std::uint32_t k = 0; k < 20; ++k)
    trainer.step(to<Cuda>(shard(normal<float>({10, 2}, {99}, {k, 0}), trainer.communicator())));
  return to<Cpu>(trainer.state());
}

}  // namespace

TEST_CASE("where no GPU can be used, every rank is told by which rank and why") {
  auto const why = cuda::unavailable();
  if (why.empty()) return;
  auto const results = on_ranks(2, [](ThreadCommunicator c) {
    NcclCommunicator{c};
    return 0;
  });
  for (auto const& error : results.errors)
    check_fails<ErrorCode::device>([&] { std::rethrow_exception(error); },
                                   {"rank 0 of 2, NcclCommunicator", "no GPU can be used", why});
}

TEST_CASE("a deadline of no time is rejected before a GPU is asked for anything") {
  check_fails<ErrorCode::config>(
      [] {
        NcclCommunicator{SelfCommunicator{}, {.seconds = 0}};
      },
      {"Deadline", "seconds", "more than 0"});
}

TEST_CASE("the sum over one rank is what it has, on the device, through the host, and after a move") {
  NEEDS_GPU();
  auto first = NcclCommunicator{SelfCommunicator{}};
  auto c = std::move(first);
  CHECK(c.rank() == 0);
  CHECK(c.size() == 1);
  auto const numbers = normal<float>({1001}, {1});
  auto there = to<Cuda>(numbers);
  c.sum(there);
  CHECK(distance(to<Cpu>(there), numbers) == 0);
  auto doubles = to<Cuda>(Tensor<double>{Shape{7}, 0.1});
  c.sum(doubles);
  CHECK(to<Cpu>(doubles)[6] == 0.1);
  auto gathered = std::array{0.0};
  c.gather(7, gathered);
  CHECK(gathered == std::array{7.0});
}

TEST_CASE("ranks on GPUs of their own train as one process does, with the same bits each and on repeat") {
  NEEDS_GPU();
  auto const one = trained(SelfCommunicator{});
  for (int size = 1; size <= gpus(); ++size) {
    CAPTURE(size);
    auto const run = [&] {
      return on_ranks(size, [](ThreadCommunicator c) {
        cuda::set_device(c.rank());
        return trained(NcclCommunicator{c});
      });
    };
    auto const first = run();
    auto const again = run();
    for (std::size_t r = 0; r < first.values.size(); ++r) {
      REQUIRE(first.values[r]);
      REQUIRE(again.values[r]);
      CHECK(same_state(*first.values[r], *first.values[0]));
      CHECK(same_state(*first.values[r], *again.values[r]));
    }
    auto const& theta = first.values[0]->theta.flat();
    CHECK(distance(theta, one.theta.flat()) <= (size == 1 ? 0 : 1e-5 * magnitude(one.theta.flat())));
  }
}
