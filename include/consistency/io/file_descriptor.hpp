// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

#include <consistency/core/error.hpp>

namespace consistency::detail {

[[noreturn]] inline void fail_io(std::filesystem::path const& path, std::string what, int cause,
                                 std::string advice) {
  fail<io_error>(path.string(), std::move(what),
                 std::generic_category().message(cause) + " (errno " + number_text(cause) + ")", "",
                 std::move(advice));
}

[[noreturn]] inline void fail_memory(std::filesystem::path const& path, std::string found) {
  fail<resource_error>(path.string(), "out of memory", std::move(found), "");
}

/// What `call` returns when no signal has interrupted it.
template <class Call>
auto uninterrupted(Call const& call) {
  for (;;)
    if (auto const result = call(); result >= 0 || errno != EINTR) return result;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) noexcept : number_{number} {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const noexcept { return number_; }
  bool open() const noexcept { return number_ >= 0; }
  /// False where the system reports a late write error.
  bool close() noexcept { return !open() || ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_;
};

/// The most bytes that are read or written in one call.
inline constexpr unsigned largest_piece = 1U << 30U;

/// Not for programs that this one starts.
inline FileDescriptor open_file(std::filesystem::path::value_type const* path, int flags, unsigned mode = 0) {
#ifdef _WIN32
  return FileDescriptor{::_wopen(path, flags | O_BINARY | O_NOINHERIT, mode)};
#else
  return FileDescriptor{uninterrupted([&] { return ::open(path, flags | O_CLOEXEC, mode); })};
#endif
}

/// Bytes of a regular file; nothing for pipes and devices. Throws io_error.
inline std::optional<std::uint64_t> size_of(FileDescriptor const& file, std::filesystem::path const& path) {
#ifdef _WIN32
  struct ::_stat64 now {};
  auto const failed = ::_fstat64(file.get(), &now) != 0;
#else
  struct ::stat now {};
  auto const failed = ::fstat(file.get(), &now) != 0;
#endif
  if (failed) fail_io(path, "fstat failed", errno, "");
  if (!S_ISREG(now.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(now.st_size);
}

/// A name of a file that is removed at the end, whatever the end is, if it is then held.
class TemporaryName {
 public:
  explicit TemporaryName(std::string name = "") : name_{std::move(name)} {}
  TemporaryName(TemporaryName const&) = delete;
  TemporaryName& operator=(TemporaryName const&) = delete;
  ~TemporaryName() {
    if (held_) ::unlink(name_.c_str());
  }

  std::string const& name() const noexcept { return name_; }
  void hold() noexcept { held_ = true; }
  void hold(std::string&& name) noexcept {
    name_ = std::move(name);
    held_ = true;
  }
  void release() noexcept { held_ = false; }

 private:
  std::string name_;
  bool held_ = false;
};

/// The folder that a file is in; an operation of its own, since std::filesystem's may crash where memory is
/// short (libstdc++ 12).
inline std::string folder_of(std::string_view path) {
  auto const slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string{path.substr(0, slash == 0 ? 1 : slash)};
}

#ifndef _WIN32
/// Flushes the names of a folder to disk. Some file systems do not support that: EINVAL.
inline bool sync_folder(int folder) {
  return uninterrupted([&] { return ::fsync(folder); }) == 0 || errno == EINVAL;
}
#endif

}  // namespace consistency::detail
