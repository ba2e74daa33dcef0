// SPDX-License-Identifier: MIT
// Kills a training process that saves every step, at random moments. attack.hpp says how it is called.
#include <array>
#include <csignal>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "attack.hpp"

using namespace consistency;
using namespace consistency::attack;

namespace {

constexpr Index last_step = 200;  // fits the byte by which a step is acknowledged
constexpr auto name = "run.safetensors";

/// Trains to the last step from what is in `folder`, and tells `acknowledged` each step that is saved.
void train(std::filesystem::path const& folder, int acknowledged) {
  auto trainer = small_trainer(96);
  auto const path = folder / name;
  auto const& table = trainer.theta().table();
  outcome([&] { trainer.resume(newest_checkpoint(path).file.state(table)); });
  while (trainer.state().step < last_step) {
    trainer.step(small_batch(trainer.state().step));
    save_checkpoint(path, trainer.state(), {{"name", "value"}});
    auto const step = static_cast<unsigned char>(trainer.state().step);
    if (::write(acknowledged, &step, 1) != 1) return;
  }
}

/// The last step that the process acknowledged, and whether it ended by itself and well.
struct Life {
  Index acknowledged = -1;
  bool finished = false;
};

Life live(std::filesystem::path const& folder, double seconds) {
  auto ends = std::array<int, 2>{};
  if (::pipe(ends.data()) != 0) std::abort();
  auto const child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    auto const end = number_text(ends[1]);
    ::execl("/proc/self/exe", "attack_kill", "train", folder.c_str(), end.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
  ::kill(child, SIGKILL);
  auto life = Life{};
  unsigned char step = 0;
  while (::read(ends[0], &step, 1) == 1) life.acknowledged = step;
  ::close(ends[0]);
  auto status = 0;
  ::waitpid(child, &status, 0);
  life.finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return life;
}

}  // namespace

int main(int argc, char** argv) {
  set_threads(1);
  if (argc == 4 && std::string_view{argv[1]} == "train") return train(argv[2], std::atoi(argv[3])), 0;

  auto attack = Attack{argc, argv};
  auto whole = small_trainer(96);
  while (whole.state().step < last_step) whole.step(small_batch(whole.state().step));
  auto const expected = digest_of(whole.state());
  auto const& table = whole.theta().table();

  for (auto run = 0; attack.goes_on(); ++run) {
    auto const folder = attack / "run";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    Index acknowledged = -1;
    auto held = true, finished = false;
    while (!finished && attack.goes_on()) {
      auto const life = live(folder, 0.15 * static_cast<double>(attack.draw(1000)) / 1000);
      acknowledged = std::max(acknowledged, life.acknowledged);
      finished = life.finished;
      auto const found = newest_step(folder / name, table);
      held = attack.trial(
                 "no acknowledged checkpoint is lost by a kill", found >= acknowledged,
                 "step " + number_text(acknowledged) + " was acknowledged, found " + number_text(found)) &&
             held;
    }
    if (finished) {
      auto const end = digest_of(load_checkpoint(folder / name, table).state);
      held = attack.trial("a run killed and resumed ends in the same bits", end == expected, end) && held;
      auto const stray = strays(folder, {name, previous_checkpoint(name).string()});
      held = attack.trial("a finished run has no stray file of killed saves", stray.empty(), stray) && held;
    }
    if (!held) attack.keep(folder, "kill_" + number_text(run));
  }
  return attack.finish();
}
