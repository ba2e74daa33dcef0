// SPDX-License-Identifier: MIT
#pragma once

// The processes that train one model: those that mpirun has started, or this one alone.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <consistency/consistency.hpp>
#ifdef EXAMPLE_MPI  // by CMake, where there is consistency::mpi
#include <consistency/distributed/mpi_communicator.hpp>
#include <consistency/distributed/mpi_environment.hpp>
#endif

namespace run {

using namespace consistency;

#ifdef EXAMPLE_MPI

/// MPI, in a program that mpirun has started.
class ProcessEnvironment {
 public:
  ProcessEnvironment() {
    for (auto const* const name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"})
      if (std::getenv(name) != nullptr && !mpi_) mpi_.emplace();
  }
  bool several() const noexcept { return mpi_.has_value(); }

 private:
  std::optional<MpiEnvironment> mpi_;
};

/// A communicator that is chosen when the program starts.
class Processes {
 public:
  explicit Processes(ProcessEnvironment const& environment)
      : mpi_{environment.several() ? std::make_shared<MpiCommunicator>() : nullptr} {}

  int rank() const noexcept { return mpi_ ? mpi_->rank() : 0; }
  int size() const noexcept { return mpi_ ? mpi_->size() : 1; }
  void sum(std::span<float> numbers) const { mpi_ ? mpi_->sum(numbers) : void(); }
  void sum(std::span<double> numbers) const { mpi_ ? mpi_->sum(numbers) : void(); }
  void gather(double mine, std::span<double> all) const {
    mpi_ ? mpi_->gather(mine, all) : void(all[0] = mine);
  }
  void broadcast(std::span<std::byte> bytes, int from) const { mpi_ ? mpi_->broadcast(bytes, from) : void(); }

 private:
  std::shared_ptr<MpiCommunicator> mpi_;
};
static_assert(Communicator<Processes>);

#else

struct ProcessEnvironment {};

struct Processes : SelfCommunicator {
  explicit Processes(ProcessEnvironment const&) {}
};

#endif

/// What the first process has, on every one; all call it.
inline double of_first(Processes processes, double mine) {
  std::vector<double> all(static_cast<std::size_t>(processes.size()));
  processes.gather(mine, all);
  return all[0];
}
/// Whether any process says so; all call it.
inline bool any(Processes processes, bool mine) {
  std::vector<double> all(static_cast<std::size_t>(processes.size()));
  processes.gather(mine ? 1 : 0, all);
  for (auto const one : all)
    if (one != 0) return true;
  return false;
}

}  // namespace run
