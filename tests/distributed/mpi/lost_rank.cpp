// SPDX-License-Identifier: MIT
// usage: lost_rank train FOLDER killed|thrown|stopped|caught   rank 1 is lost in step 5, while rank 0 writes
// a checkpoint
//        lost_rank check FOLDER                               whether the last checkpoint is whole
// caught: as stopped, and main ends as if all were well
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/distributed/mpi_communicator.hpp>
#include <consistency/distributed/shard.hpp>

#include "../support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr Index lost_in = 5;

void train(std::filesystem::path const& checkpoint, std::string const& how) {
  auto t = trainer({.width = 256}, MpiCommunicator{MPI_COMM_WORLD, {.seconds = 4}});
  auto const rank = t.communicator().rank();
  for (Index k = 0; k < 1000; ++k) {
    t.step(shard(global_batch(k), t.communicator()));
    if (rank == 1 && k == lost_in) {
      if (how == "thrown") throw std::runtime_error{"the data of rank 1 are gone"};
      std::raise(how == "killed" ? SIGKILL : SIGSTOP);
    }
    if (rank == 0) save_checkpoint(checkpoint, t.state(), {});
  }
}

void check(std::filesystem::path const& checkpoint) {
  auto const table = consistency_function(256).network().parameters();
  auto const step = newest_checkpoint(checkpoint).file.state(table).step;
  std::printf("the last checkpoint is whole, after step %d\n", static_cast<int>(step));
  if (step < lost_in || step > lost_in + 1) throw std::runtime_error{"a checkpoint of another step"};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw std::runtime_error{"usage: lost_rank train FOLDER HOW, or check FOLDER"};
    auto const checkpoint = std::filesystem::path{argv[2]} / "checkpoint.safetensors";
    if (std::string{argv[1]} == "check") return check(checkpoint), 0;
    auto const how = std::string{argc > 3 ? argv[3] : ""};
    auto const environment = MpiEnvironment{};
    set_threads(1);
    try {
      train(checkpoint, how);
    } catch (distributed_error const& e) {
      if (how != "caught") throw;
      std::fprintf(stderr, "%s\n", e.what());
    }
  } catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
