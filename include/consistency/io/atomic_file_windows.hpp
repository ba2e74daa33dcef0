// SPDX-License-Identifier: MIT
#pragma once

#ifdef _WIN32

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <share.h>
#include <sys/stat.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace consistency::detail {

/// AtomicFile on Windows: a file that appears under its name whole and on disk, or not at all. Until then it
/// is written as `.writing-<name>-<number>`, which nobody else can open or remove; a file of that name that
/// can be removed was left by a process that was killed. Rights are those that its folder gives.
class AtomicFile {
 public:
  AtomicFile(std::filesystem::path const& path, std::filesystem::path const&, std::uint64_t needed)
      : path_{path.string()}, target_{path}, needed_{needed} {
    std::error_code none;
    auto const kind = std::filesystem::status(target_, none).type();
    replaces_ = kind != std::filesystem::file_type::not_found;
    if (replaces_ && kind != std::filesystem::file_type::regular)
      fail<io_error>(path_, "not a regular file", "a folder, device or pipe", "a file to replace",
                     "Choose another name.");
    remove_strays();
    constexpr auto attempts = 1000;
    for (auto number = ::_getpid(), i = 0; i < attempts; ++number, ++i) {
      temporary_ = beside(std::to_wstring(number));
      int made = -1;
      auto const cause = ::_wsopen_s(&made, temporary_.c_str(), flags, _SH_DENYRW, _S_IREAD | _S_IWRITE);
      file_ = FileDescriptor{made};
      if (file_.open()) return;
      errno = cause;
      if (cause != EEXIST) break;
    }
    temporary_.clear();
    fail_call("open (temporary file)");
  }
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() {
    if (temporary_.empty()) return;
    file_.close();
    ::_wunlink(temporary_.c_str());
  }

  void write(ByteView bytes) {
    while (!bytes.empty()) {
      auto const piece = static_cast<unsigned>(std::min<std::size_t>(bytes.size(), largest_piece));
      auto const taken = ::_write(file_.get(), bytes.data(), piece);
      if (taken == 0) errno = EIO;
      if (taken <= 0) fail_call("write");
      written_ += static_cast<std::uint64_t>(taken);
      bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
  }

  void commit() {
    if (::_commit(file_.get()) != 0) fail_call("commit");
    if (!file_.close()) fail_call("close");
    std::error_code failure;
    std::filesystem::rename(temporary_, target_, failure);
    if (failure) {
      errno = failure.default_error_condition().value();
      fail_call("rename");
    }
    temporary_.clear();
  }

 private:
  static constexpr int flags = _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT;

  std::filesystem::path beside(std::wstring const& number) const {
    auto const name = target_.filename().wstring().substr(0, 100);
    return target_.parent_path() / (L".writing-" + name + L"-" + number);
  }

  /// What others hold cannot be removed.
  void remove_strays() const {
    auto const stem = beside(L"").filename().wstring();
    auto const folder = target_.parent_path();
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator{folder.empty() ? "." : folder, none})
      if (entry.path().filename().wstring().starts_with(stem)) ::_wunlink(entry.path().c_str());
  }

  [[noreturn]] void fail_call(std::string const& call) const {
    auto const cause = errno;
    fail_io(path_, call + " failed after " + number_text(written_) + " of " + number_text(needed_) + " bytes",
            cause, replaces_ ? "The previous file was kept." : "No file was there before and none is now.");
  }

  std::string path_;
  std::filesystem::path target_, temporary_;  // none: nothing to remove
  FileDescriptor file_;
  std::uint64_t needed_, written_ = 0;
  bool replaces_ = false;
};

}  // namespace consistency::detail

#endif
