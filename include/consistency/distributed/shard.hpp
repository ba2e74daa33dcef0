// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/core/shape.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/distributed/communicator.hpp>

namespace consistency {

/// Where piece r of `count` things begins, of `size` pieces in order that differ by one at most.
constexpr Index shard_begin(Index count, int r, int size) { return count * r / size; }

/// This rank's samples of a global batch (n, …), with their conditions: views. Empty where there are more
/// ranks than samples.
template <class X>
Batch<X> shard(Batch<X> const& batch, Communicator auto const& communicator) {
  auto const [rank, size] = std::pair{communicator.rank(), communicator.size()};
  auto const begin = shard_begin(batch.count(), rank, size);
  return batch.rows(begin, shard_begin(batch.count(), rank + 1, size) - begin);
}
template <class X>
X shard(X const& x0, Communicator auto const& communicator) {
  return shard(Batch<X>{x0}, communicator).x0;
}

}  // namespace consistency
