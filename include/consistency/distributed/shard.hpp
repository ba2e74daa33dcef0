// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/core/shape.hpp>
#include <consistency/distributed/communicator.hpp>

namespace consistency {

/// Where piece r of `count` things begins, of `size` pieces in order that differ by one at most.
constexpr Index shard_begin(Index count, int r, int size) { return count * r / size; }

/// This rank's samples of a global batch (n, …): a view. Empty where there are more ranks than samples.
template <class X>
X shard(X const& batch, Communicator auto const& communicator) {
  auto const [rank, size] = std::pair{communicator.rank(), communicator.size()};
  auto const begin = shard_begin(batch.shape()[0], rank, size);
  auto const shape = batch.shape().with(0, shard_begin(batch.shape()[0], rank + 1, size) - begin);
  return batch.view(begin * (batch.count() / batch.shape()[0]), shape);
}

}  // namespace consistency
