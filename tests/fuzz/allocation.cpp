// SPDX-License-Identifier: MIT
// Fails every allocation of loading, building, training, saving and sampling. attack.hpp says how it is
// called.
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "attack.hpp"

namespace {

struct {
  bool on = false, persistent = false;
  long at = 0, calls = 0;
} armed;

bool fails() {
  if (!armed.on) return false;
  ++armed.calls;
  if (armed.calls != armed.at && !(armed.persistent && armed.calls > armed.at)) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

// The program's own definitions take the place of the C library's, for operator new too.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* memory, std::size_t size) { return fails() ? nullptr : __libc_realloc(memory, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = aligned_alloc(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}

using namespace consistency;
using namespace consistency::attack;

namespace {

constexpr auto name = "run.safetensors";
constexpr auto actions = std::array{"load", "build", "step", "save", "sample"};

/// What an action that could not have its memory must not break; a bit each in a child's exit status.
enum Broken {
  untyped = 1,
  state_changed = 2,
  checkpoint_lost = 4,
  stray_file = 8,
  unusable = 16,
  reached = 32
};

/// The action with its at-th allocation failing, and, if persistent, all after it.
int attempt(std::filesystem::path const& folder, std::string_view action, long at, bool persistent) {
  auto trainer = small_trainer();
  auto const theta = trainer.averaged();
  auto const x = small_batch(0);
  auto const& table = theta.table();
  auto const before = digest_of(trainer.state());
  auto const path = folder / name;
  save_checkpoint(path, trainer.state(), {});
  MemoryPool::instance().trim();

  auto kind = Outcome::done;
  armed = {true, persistent, at, 0};
  try {  // not `outcome`, whose text asks for memory
    if (action == "load") load_checkpoint(path, table);
    if (action == "build") small_trainer(24);
    if (action == "step") trainer.step(x);
    if (action == "save") save_checkpoint(path, trainer.state(), {{"name", "value"}});
    if (action == "sample") sample(trainer.method().f, theta, Multistep{}, {.count = 8});
  } catch (error const&) {
    kind = Outcome::typed;
  } catch (std::bad_alloc const&) {
    kind = Outcome::out_of_memory;
  } catch (...) {
    kind = Outcome::untyped;
  }
  armed.on = false;

  auto broken = armed.calls >= at ? int{reached} : 0;
  if (kind == Outcome::untyped) broken |= untyped;
  if (kind != Outcome::done && digest_of(trainer.state()) != before) broken |= state_changed;
  if (newest_step(path, table) != 0) broken |= checkpoint_lost;
  if (!strays(folder, {name, previous_checkpoint(name).string()}).empty()) broken |= stray_file;
  if (outcome([&] { trainer.step(small_batch(1)); }).kind != Outcome::done) broken |= unusable;
  return broken;
}

}  // namespace

int main(int argc, char** argv) {
  set_threads(1);
  auto attack = Attack{argc, argv};
  auto const folder = attack / "saves";
  while (attack.goes_on()) {
    auto const action = std::string{actions[attack.draw(actions.size())]};
    auto const persistent = attack.draw(2) == 0;
    auto const stride = 1 + static_cast<long>(attack.draw(40));
    auto more = true;
    for (auto at = 1 + static_cast<long>(attack.draw(static_cast<std::size_t>(stride)));
         more && attack.goes_on(); at += stride) {
      std::filesystem::remove_all(folder);
      std::filesystem::create_directory(folder);
      auto const child = ::fork();
      if (child == 0) {
        ::alarm(60);
        ::_exit(attempt(folder, action, at, persistent));
      }
      auto status = 0;
      ::waitpid(child, &status, 0);
      auto const ended = WIFEXITED(status);
      auto const broken = ended ? WEXITSTATUS(status) : 0;
      more = !ended || (broken & reached) != 0;
      auto const what = action + ", allocation " + number_text(at) + (persistent ? " and all later" : "");
      attack.trial("out of memory ends no process", ended, what);
      attack.trial("out of memory is a typed error or bad_alloc", (broken & untyped) == 0, what);
      attack.trial("out of memory changes no state, and training goes on",
                   (broken & (state_changed | unusable)) == 0, what);
      attack.trial("out of memory loses no checkpoint and leaves no stray file",
                   (broken & (checkpoint_lost | stray_file)) == 0, what);
    }
  }
  return attack.finish();
}
