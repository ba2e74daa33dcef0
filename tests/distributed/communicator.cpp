// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/distributed/self_communicator.hpp>
#include <consistency/distributed/shard.hpp>
#include <consistency/tensor/tensor.hpp>

#include "../support/thread_communicator.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("one process alone is rank 0 of 1, and what it sums, gathers and broadcasts stays as it is") {
  auto self = SelfCommunicator{};
  auto numbers = std::array{1.5F, -2.5F};
  auto gathered = std::array{0.0};
  CHECK(self.rank() == 0);
  CHECK(self.size() == 1);
  self.sum(std::span<float>{numbers});
  self.broadcast(std::as_writable_bytes(std::span{numbers}), 0);
  self.gather(7, gathered);
  CHECK(numbers == std::array{1.5F, -2.5F});
  CHECK(gathered == std::array{7.0});
}

TEST_CASE("numbers are added in the order of ranks") {
  // In floats 1e8 + 1 is 1e8: (1e8 + 1) - 1e8 is 0, and in another order 1.
  constexpr auto parts = std::array{1e8F, 1.0F, -1e8F};
  auto const results = on_ranks(3, [&](ThreadCommunicator c) {
    auto number = std::array{parts[static_cast<std::size_t>(c.rank())]};
    c.sum(std::span<float>{number});
    return number[0];
  });
  for (auto const& sum : results.values) CHECK(sum == 0.0F);
}

TEST_CASE("the shards of a batch are its samples in order, and differ in size by one at most") {
  auto batch = Tensor<float>{Shape{10, 2}};
  for (Index i = 0; i < batch.count(); ++i) batch.mutable_data()[i] = static_cast<float>(i);
  for (int const size : {1, 2, 3, 7, 10, 12}) {
    auto group = ThreadCommunicator::Group{size};
    std::vector<float> all;
    for (int rank = 0; rank < size; ++rank) {
      auto const part = shard(batch, ThreadCommunicator{group, rank});
      CHECK(part.shape()[0] >= 10 / size);
      CHECK(part.shape()[0] <= (10 + size - 1) / size);
      all.insert(all.end(), part.values().begin(), part.values().end());
    }
    CHECK(all == std::vector<float>(batch.values().begin(), batch.values().end()));
  }
}
