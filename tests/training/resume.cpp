// SPDX-License-Identifier: MIT
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/core/parallel.hpp>

#include "../support/temp_folder.hpp"
#include "../support/unet_run.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr auto folder_variable = "CONSISTENCY_TEST_RESUME_FOLDER";
constexpr Index steps = 40;

std::filesystem::path checkpoint_in(std::filesystem::path const& folder) {
  return folder / "run.safetensors";
}

/// Runs the test case "one step of a run" of this program in a process of its own; its exit status.
int step_in_new_process() {
  auto program = std::string{"/proc/self/exe"};
  auto no_skip = std::string{"--no-skip"};
  auto filter = std::string{"--test-case=one step of a run*"};
  auto arguments = std::array<char*, 4>{program.data(), no_skip.data(), filter.data(), nullptr};
  pid_t child = 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  auto const failed = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

// Not a test by itself: what the test below runs in new processes.
TEST_CASE("one step of a run that is saved after it" * doctest::skip()) {
  auto const* const folder = std::getenv(folder_variable);
  REQUIRE(folder != nullptr);
  UNetRun run{2};
  if (auto const path = checkpoint_in(folder); std::filesystem::exists(path)) {
    auto saved = load_checkpoint(path, run.table());
    REQUIRE(saved.settings == Metadata{{"run", "resume"}});
    set_threads(static_cast<unsigned>(1 + saved.state.step % 3));
    run.resume(saved.state);
  }
  run.step();
  save_checkpoint(checkpoint_in(folder), run.state(), {{"run", "resume"}});
}

TEST_CASE(
    "a run that is saved and resumed in a new process after every step has the bits of one without pause") {
  UNetRun straight{2};
  for (Index k = 0; k < steps; ++k) straight.step();

  TempFolder const folder;
  REQUIRE(::setenv(folder_variable, folder.path().c_str(), 1) == 0);
  for (Index k = 0; k < steps; ++k) REQUIRE(step_in_new_process() == 0);
  auto const resumed = load_checkpoint(checkpoint_in(folder.path()), straight.table());

  CHECK(resumed.state.step == steps);
  CHECK(same_state(resumed.state, straight.state()));
}
