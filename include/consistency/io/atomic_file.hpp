// SPDX-License-Identifier: MIT
#pragma once

#ifdef _WIN32
#include <consistency/io/atomic_file_windows.hpp>
#else

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace consistency::detail {

/// A file that appears under its name whole and on disk, or not at all. Until then it is written as
/// `.writing-<name>-<number>` and locked; a file of that name which nobody has locked was left by a process
/// that was killed, and goes.
class AtomicFile {
 public:
  /// Mode and owner are those of the file at `like`, if there is one.
  AtomicFile(std::filesystem::path const& path, std::filesystem::path const& like, std::uint64_t needed)
      : path_{path.native()}, target_{resolved(path_)}, needed_{needed} {
    struct ::stat now {};
    replaces_ = ::stat(target_.c_str(), &now) == 0;
    if (replaces_ && !S_ISREG(now.st_mode))
      fail<io_error>(path_, "not a regular file", "a folder, device or pipe", "a file to replace",
                     "Choose another name.");
    keeps_ = ::stat(like.c_str(), &like_) == 0;
    auto const folder = folder_of(target_);
    folder_ = open_file(folder.c_str(), O_RDONLY | O_DIRECTORY);
    if (!folder_.open()) fail_call("open (folder)");
    create_in(folder);
  }
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;

  void write(ByteView bytes) {
    while (!bytes.empty()) {
      auto const piece = bytes.first(std::min<std::size_t>(bytes.size(), largest_piece));
      auto const taken = uninterrupted([&] { return ::write(file_.get(), piece.data(), piece.size()); });
      if (taken == 0) errno = EIO;
      if (taken <= 0) fail_call("write");
      written_ += static_cast<std::uint64_t>(taken);
      bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
  }

  void commit() {
    if (keeps_) take_rights();
    if (uninterrupted([&] { return ::fsync(file_.get()); }) != 0) fail_call("fsync");
    lock_ = FileDescriptor{::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0)};  // kept until it has its name, or none
    if (!file_.close()) fail_call("close");
    if (::rename(temporary_.name().c_str(), target_.c_str()) != 0) fail_call("rename");
    temporary_.release();
    if (!sync_folder(folder_.get()))
      fail_io(path_, "fsync (folder) failed", errno,
              "The new file is in place, but a power failure may bring the previous one back.");
  }

 private:
  /// Where a symbolic link leads.
  static std::string resolved(std::string const& path) {
    auto const real = std::unique_ptr<char, void (*)(void*)>{::realpath(path.c_str(), nullptr), std::free};
    if (!real && errno == ENOMEM) fail_memory(path, "none for its path");
    return real ? std::string{real.get()} : path;
  }

  // At most the first hundred bytes of the target's name, so that the longest legal name stays legal.
  void create_in(std::string const& folder) {
    auto name = std::string_view{target_}.substr(target_.rfind('/') + 1);
    auto length = std::min<std::size_t>(name.size(), 100);
    while (length < name.size() && length > 0 && (static_cast<unsigned char>(name[length]) & 0xc0U) == 0x80U)
      --length;  // whole characters of UTF-8
    auto const stem = folder + "/.writing-" + std::string{name.substr(0, length)} + "-";
    constexpr auto attempts = 1000;
    for (auto number = 0; number < attempts; ++number) {
      auto candidate = stem + number_text(number);
      auto made = open_file(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL, keeps_ ? 0600U : 0666U);
      if (!made.open() && errno != EEXIST) break;
      if (!made.open()) {
        if (!remove_stray(candidate)) continue;
        made = open_file(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL, keeps_ ? 0600U : 0666U);
        if (!made.open()) continue;
      }
      // Taken for a stray file before it was locked: by one that has it still, or has removed it.
      auto const taken = ::flock(made.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      if (taken || gone(made)) continue;
      file_ = std::move(made);
      temporary_.hold(std::move(candidate));
      for (++number; number < attempts && remove_stray(stem + number_text(number)); ++number) {
      }
      return;
    }
    fail_call("open (temporary file)");
  }

  /// Removes a file that its writer no longer holds. False where there is none, or somebody writes it.
  static bool remove_stray(std::string const& name) {
    auto const left = open_file(name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    return left.open() && ::flock(left.get(), LOCK_EX | LOCK_NB) == 0 && bears(left, name) &&
           ::unlink(name.c_str()) == 0;
  }

  static bool gone(FileDescriptor const& file) {
    struct ::stat now {};
    return ::fstat(file.get(), &now) == 0 && now.st_nlink == 0;
  }

  /// False too where the file was finished and renamed since it was opened, and the name is another's.
  static bool bears(FileDescriptor const& file, std::string const& name) {
    struct ::stat opened {};
    struct ::stat named {};
    return ::fstat(file.get(), &opened) == 0 && ::lstat(name.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  }

  // As far as the system lets us. Where the group cannot be kept, the new one gets what everybody has.
  void take_rights() const {
    struct ::stat made {};
    auto mode = like_.st_mode & 07777U;
    if (::fstat(file_.get(), &made) != 0) return;
    if (made.st_uid != like_.st_uid && ::fchown(file_.get(), like_.st_uid, like_.st_gid) == 0)
      made.st_gid = like_.st_gid;
    if (made.st_gid != like_.st_gid && ::fchown(file_.get(), static_cast<::uid_t>(-1), like_.st_gid) != 0)
      mode = (mode & ~070U) | (mode & 070U & (mode & 07U) << 3U);
    static_cast<void>(::fchmod(file_.get(), mode));
  }

  [[noreturn]] void fail_call(std::string const& call) const {
    auto const cause = errno;
    fail_io(path_, call + " failed after " + number_text(written_) + " of " + number_text(needed_) + " bytes",
            cause, replaces_ ? "The previous file was kept." : "No file was there before and none is now.");
  }

  std::string path_, target_;
  FileDescriptor folder_, file_, lock_;
  TemporaryName temporary_;  // goes first, while the file is still locked
  struct ::stat like_ {};
  std::uint64_t needed_, written_ = 0;
  bool replaces_ = false, keeps_ = false;
};

}  // namespace consistency::detail

#endif
