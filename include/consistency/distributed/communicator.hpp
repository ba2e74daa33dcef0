// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace consistency {

/// What training asks of `size()` processes, its ranks, that work on one model. All but `rank` and `size` are
/// collective: every rank calls them, in the same order. They throw distributed_error where a rank cannot be
/// reached. Models: SelfCommunicator, MpiCommunicator, NcclCommunicator. docs/concepts/communicator.md
template <class C>
concept Communicator = requires(C& communicator, C const& self, std::span<float> floats,
                                std::span<double> doubles, std::span<std::byte> bytes) {
  { self.rank() } -> std::same_as<int>;
  { self.size() } -> std::same_as<int>;
  communicator.sum(floats);   // numbers[i] ← ((that of rank 0 + that of rank 1) + …), on every rank
  communicator.sum(doubles);  // the same bits whenever the numbers are the same
  communicator.gather(0.0, doubles);  // doubles[r] ← the number of rank r, on every rank
  communicator.broadcast(bytes, 0);   // bytes ← those of rank 0, on every rank
};

/// A communicator that also adds tensors of type X where they lie, such as in the memory of GPUs, in an order
/// of its own; from others, sums reach them through the host. Model: NcclCommunicator, for Tensor<S, Cuda>.
template <class C, class X>
concept SumsInPlace = Communicator<C> && requires(C& communicator, X& x) { communicator.sum(x); };

}  // namespace consistency
