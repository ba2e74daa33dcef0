// SPDX-License-Identifier: MIT
// Fails, or kills the process, at every system call of a save. attack.hpp says how it is called.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.hpp"

namespace {

/// What happens at a system call.
enum class Fault { none, kill, error, error_from_there, short_write };

struct Armed {
  Fault fault = Fault::none;
  int error = 0;
  long at = 0, calls = 0;
  bool of_unlink = false;  // a file could not be removed
} armed;

/// Whether the call that is about to be made fails; errno then says how.
bool fails() {
  if (armed.fault == Fault::none) return false;
  ++armed.calls;
  if (armed.fault == Fault::kill && armed.calls == armed.at) ::raise(SIGKILL);
  errno = armed.error;
  return (armed.fault == Fault::error && armed.calls == armed.at) ||
         (armed.fault == Fault::error_from_there && armed.calls >= armed.at);
}

}  // namespace

// The program's own definitions take the place of the C library's, for libstdc++ too.
extern "C" {
int open(char const* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  auto const mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  return fails() ? -1 : static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int close(int file) {
  auto const result = static_cast<int>(::syscall(SYS_close, file));  // a failing close() closes too
  return fails() ? -1 : result;
}
ssize_t write(int file, void const* bytes, std::size_t count) {
  if (fails()) return -1;
  auto const cut = armed.fault == Fault::short_write && armed.calls == armed.at && count > 1;
  return ::syscall(SYS_write, file, bytes, cut ? count / 2 : count);
}
ssize_t read(int file, void* bytes, std::size_t count) {
  if (fails()) return -1;
  auto const cut = armed.fault == Fault::short_write && armed.calls == armed.at && count > 1;
  return ::syscall(SYS_read, file, bytes, cut ? count / 2 : count);
}
int fsync(int file) { return fails() ? -1 : static_cast<int>(::syscall(SYS_fsync, file)); }
int fdatasync(int file) { return fails() ? -1 : static_cast<int>(::syscall(SYS_fdatasync, file)); }
int fchmod(int file, mode_t mode) noexcept {
  return fails() ? -1 : static_cast<int>(::syscall(SYS_fchmod, file, mode));
}
int ftruncate(int file, off_t size) noexcept {
  return fails() ? -1 : static_cast<int>(::syscall(SYS_ftruncate, file, size));
}
int rename(char const* from, char const* to) noexcept {
  return fails() ? -1 : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int link(char const* from, char const* to) noexcept {
  return fails() ? -1 : static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int unlink(char const* path) noexcept {
  if (!fails()) return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
  armed.of_unlink = true;
  return -1;
}
int access(char const* path, int how) noexcept {
  return fails() ? -1 : static_cast<int>(::syscall(SYS_faccessat, AT_FDCWD, path, how));
}
int stat(char const* path, struct ::stat* found) noexcept {
  return fails() ? -1 : ::fstatat(AT_FDCWD, path, found, 0);
}
int fstat(int file, struct ::stat* found) noexcept {
  return fails() ? -1 : ::fstatat(file, "", found, AT_EMPTY_PATH);
}
}

using namespace consistency;
using namespace consistency::attack;

namespace {

constexpr auto name = "run.safetensors";

/// How a process ended that saved one checkpoint under attack.
struct Save {
  enum End { acknowledged, rejected, killed, broken } end = broken;
  bool reached = false;    // the k-th call was made
  bool unlinking = false;  // which was to remove a file
};

Save save(std::filesystem::path const& folder, TrainingState<X> const& state, Armed const& fault) {
  auto const child = ::fork();
  if (child == 0) {
    ::alarm(60);
    armed = fault;
    auto const result = outcome([&] { save_checkpoint(folder / name, state, {{"name", "value"}}); });
    auto const reached = armed.calls >= armed.at;
    armed.fault = Fault::none;
    if (result.kind == Outcome::untyped) std::fprintf(stderr, "%s\n", result.text.c_str());
    ::_exit((reached ? 1 : 0) + (armed.of_unlink ? 2 : 0) +
            (result.kind == Outcome::done    ? 0
             : result.kind == Outcome::typed ? 4
                                             : 8));
  }
  auto status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {Save::killed, true, false};
  auto const code = WIFEXITED(status) ? WEXITSTATUS(status) : 8 + 1;
  return {code < 4   ? Save::acknowledged
          : code < 8 ? Save::rejected
                     : Save::broken,
          code % 2 != 0, code / 2 % 2 != 0};
}

struct Way {
  char const* text;
  Fault fault;
  int error;
};

constexpr auto ways = std::array{Way{"kill", Fault::kill, 0},
                                 Way{"ENOSPC", Fault::error, ENOSPC},
                                 Way{"EIO", Fault::error, EIO},
                                 Way{"EINTR", Fault::error, EINTR},
                                 Way{"EACCES", Fault::error, EACCES},
                                 Way{"short", Fault::short_write, 0},
                                 Way{"full disk", Fault::error_from_there, ENOSPC},
                                 Way{"dead disk", Fault::error_from_there, EIO}};

}  // namespace

int main(int argc, char** argv) {
  set_threads(1);
  auto attack = Attack{argc, argv};
  auto trainer = small_trainer();
  auto const& table = trainer.theta().table();
  auto states = std::array{trainer.state(), trainer.state(), trainer.state(), trainer.state()};
  for (std::size_t i = 0; i < states.size(); ++i) states[i].step = static_cast<Index>(i);

  while (attack.goes_on()) {
    auto const before = attack.draw(3);  // checkpoints that are there
    auto const damaged = before > 0 && attack.draw(3) == 0;
    auto const& way = ways[attack.draw(ways.size())];
    auto reached = true;
    for (auto at = 1 + static_cast<long>(attack.draw(3)); reached && attack.goes_on(); at += 3) {
      auto const folder = attack / "saves";
      std::filesystem::remove_all(folder);
      std::filesystem::create_directory(folder);
      for (std::size_t i = 0; i < before; ++i) save(folder, states[i], {});
      if (damaged) std::filesystem::resize_file(folder / name, 1000);
      auto const result = save(folder, states[before], {way.fault, way.error, at});
      reached = result.reached;
      auto const what = std::string{way.text} + " at call " + number_text(at) + " of a save over " +
                        number_text(before) + " checkpoints" + (damaged ? ", the last damaged: " : ": ");
      auto const stray = [&] { return strays(folder, {name, previous_checkpoint(name).string()}); };

      auto const least = static_cast<Index>(before) - (result.end == Save::acknowledged ? 0
                                                       : damaged                        ? 2
                                                                                        : 1);
      auto const found = newest_step(folder / name, table);
      auto held = attack.trial("a save that dies or fails at any system call leaves a whole checkpoint",
                               found >= least, what + "step " + number_text(found) + " is left");
      if (result.end != Save::killed) {
        held &= attack.trial("a save that fails at any system call is a typed error",
                             result.end != Save::broken, what);
        held &= attack.trial("a save that fails at any system call leaves no stray file",
                             result.unlinking || stray().empty(), what + stray());
      }
      save(folder, states[3], {});
      held &= attack.trial("the save after one that died or failed is whole and clears up",
                           newest_step(folder / name, table) == 3 && stray().empty(), what + stray());
      if (!held) attack.keep(folder, "call_" + number_text(attack.random()));
    }
  }
  return attack.finish();
}
