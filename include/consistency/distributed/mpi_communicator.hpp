// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>

#include <mpi.h>

#include <consistency/distributed/communicator.hpp>
#include <consistency/distributed/mpi_group.hpp>
#include <consistency/distributed/shard.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// The ranks of MPI, one process each, in a group of their own. To be made and destroyed between the ends of
/// an MpiEnvironment, by all ranks at once, and used by the thread that made the environment. An operation in
/// which a rank does not take its part before the deadline throws distributed_error on every rank that lives;
/// the communicator cannot be used from then on.
class MpiCommunicator {
 public:
  /// All ranks, or those of `group`. Throws config_error for a deadline that is not more than 0, and
  /// distributed_error where MPI fails or a rank does not come.
  explicit MpiCommunicator(MPI_Comm group = MPI_COMM_WORLD, Deadline deadline = {})
      : group_{group, deadline} {}

  int rank() const noexcept { return group_.rank(); }
  int size() const noexcept { return group_.size(); }

  void sum(std::span<float> numbers) { sum(numbers, MPI_FLOAT); }
  void sum(std::span<double> numbers) { sum(numbers, MPI_DOUBLE); }

  void gather(double mine, std::span<double> all) {
    all[static_cast<std::size_t>(rank())] = mine;
    for_others([&](int r) { group_.receive(&all[static_cast<std::size_t>(r)], 1, MPI_DOUBLE, r); });
    for_others([&](int r) { group_.send(&mine, 1, MPI_DOUBLE, r); });
    group_.wait("gather");
  }

  void broadcast(std::span<std::byte> bytes, int from) {
    constexpr std::size_t most = std::size_t{1} << 24U;  // bytes under one deadline
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(most, bytes.size()))) {
      auto const count = static_cast<int>(std::min(most, bytes.size()));
      if (rank() == from)
        for_others([&](int r) { group_.send(bytes.data(), count, MPI_BYTE, r); });
      else
        group_.receive(bytes.data(), count, MPI_BYTE, from);
      group_.wait("broadcast");
    }
  }

 private:
  static constexpr Index piece = Index{1} << 20U;  // numbers that a rank adds up at a time

  /// action(r) for all ranks but this one, beginning with the next.
  template <class Action>
  void for_others(Action const& action) const {
    for (int i = 1; i < size(); ++i) action((rank() + i) % size());
  }

  template <std::floating_point S>
  void sum(std::span<S> numbers, MPI_Datatype type) {
    auto const count = static_cast<Index>(numbers.size());
    auto const slab = std::min(count, size() * piece);
    auto pieces = Tensor<S>{Shape{slab + size()}};  // every rank's numbers of this rank's piece
    for (Index begin = 0; begin < count; begin += slab)
      sum_slab(numbers.data() + begin, std::min(slab, count - begin), pieces.mutable_data(), type);
  }

  /// Rank r gets piece r of every rank, adds them in the order of ranks, and gives the sum to all: the
  /// traffic of a ring, and one order of addition whatever arrives first.
  template <std::floating_point S>
  void sum_slab(S* numbers, Index count, S* pieces, MPI_Datatype type) {
    auto const begin = [&](int r) { return shard_begin(count, r, size()); };
    auto const length = [&](int r) { return static_cast<int>(begin(r + 1) - begin(r)); };
    auto const mine = length(rank());
    for_others([&](int r) { group_.receive(pieces + Index{r} * mine, mine, type, r); });
    for_others([&](int r) { group_.send(numbers + begin(r), length(r), type, r); });
    std::copy_n(numbers + begin(rank()), mine, pieces + Index{rank()} * mine);
    group_.wait("sum");
    for (int r = 1; r < size(); ++r)
      for (int i = 0; i < mine; ++i) pieces[i] += pieces[Index{r} * mine + i];
    for_others([&](int r) { group_.receive(numbers + begin(r), length(r), type, r); });
    for_others([&](int r) { group_.send(pieces, mine, type, r); });
    std::copy_n(pieces, mine, numbers + begin(rank()));
    group_.wait("sum");
  }

  detail::MpiGroup group_;
};

static_assert(Communicator<MpiCommunicator>);

}  // namespace consistency
