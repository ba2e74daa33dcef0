#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <mpi.h>

#include <consistency/distributed/communicator.hpp>
#include <consistency/distributed/mpi_environment.hpp>
#include <consistency/distributed/shard.hpp>
#include <consistency/distributed/unwinding.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// The ranks of MPI, one process each, in a group of their own. To be made and destroyed between the ends of
/// an MpiEnvironment, by all ranks at once, and used by the thread that made the environment.
class MpiCommunicator {
 public:
  /// All ranks, or those of `group`. Throws distributed_error where MPI refuses.
  explicit MpiCommunicator(MPI_Comm group = MPI_COMM_WORLD) {
    detail::require_mpi(MPI_Comm_dup(group, &group_), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(group_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(group_, &rank_);
    MPI_Comm_size(group_, &size_);
    counts_.resize(static_cast<std::size_t>(4 * size_));
  }
  MpiCommunicator(MpiCommunicator&& other) noexcept
      : group_{std::exchange(other.group_, MPI_COMM_NULL)},
        rank_{other.rank_},
        size_{other.size_},
        counts_{std::move(other.counts_)} {}
  MpiCommunicator& operator=(MpiCommunicator other) noexcept {
    std::swap(group_, other.group_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    std::swap(counts_, other.counts_);
    return *this;
  }
  ~MpiCommunicator() {
    if (group_ != MPI_COMM_NULL && !unwinding_.now()) MPI_Comm_free(&group_);
  }

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  void sum(std::span<float> numbers) { sum(numbers, MPI_FLOAT); }
  void sum(std::span<double> numbers) { sum(numbers, MPI_DOUBLE); }

  void gather(double mine, std::span<double> all) {
    detail::require_mpi(MPI_Allgather(&mine, 1, MPI_DOUBLE, all.data(), 1, MPI_DOUBLE, group_),
                        "MPI_Allgather");
  }

  void broadcast(std::span<std::byte> bytes, int from) {
    constexpr std::size_t most = std::size_t{1} << 30U;
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(most, bytes.size())))
      detail::require_mpi(
          MPI_Bcast(bytes.data(), static_cast<int>(std::min(most, bytes.size())), MPI_BYTE, from, group_),
          "MPI_Bcast");
  }

 private:
  static constexpr Index piece = Index{1} << 20U;  // numbers that a rank adds up at a time

  template <std::floating_point S>
  void sum(std::span<S> numbers, MPI_Datatype type) {
    auto const count = static_cast<Index>(numbers.size());
    auto const slab = std::min(count, size_ * piece);
    auto pieces = Tensor<S>{Shape{slab + size_}};  // every rank's numbers of this rank's piece
    for (Index begin = 0; begin < count; begin += slab)
      sum_slab(numbers.data() + begin, std::min(slab, count - begin), pieces.mutable_data(), type);
  }

  /// Rank r gets piece r of every rank, adds them in the order of ranks, and gives the sum to all: the
  /// traffic of a ring, and one order of addition whatever arrives first.
  template <std::floating_point S>
  void sum_slab(S* numbers, Index count, S* pieces, MPI_Datatype type) {
    auto const begin = [&](int r) { return static_cast<int>(shard_begin(count, r, size_)); };
    auto const mine = begin(rank_ + 1) - begin(rank_);
    auto* const sizes = counts_.data();
    auto* const begins = sizes + size_;
    auto* const mines = begins + size_;
    auto* const places = mines + size_;
    for (int r = 0; r < size_; ++r) {
      sizes[r] = begin(r + 1) - begin(r);
      begins[r] = begin(r);
      mines[r] = mine;
      places[r] = r * mine;
    }
    detail::require_mpi(MPI_Alltoallv(numbers, sizes, begins, type, pieces, mines, places, type, group_),
                        "MPI_Alltoallv");
    for (int r = 1; r < size_; ++r)
      for (int i = 0; i < mine; ++i) pieces[i] += pieces[r * mine + i];
    detail::require_mpi(MPI_Allgatherv(pieces, mine, type, numbers, sizes, begins, type, group_),
                        "MPI_Allgatherv");
  }

  MPI_Comm group_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::vector<int> counts_;
  detail::Unwinding unwinding_;
};

static_assert(Communicator<MpiCommunicator>);

}  // namespace consistency
