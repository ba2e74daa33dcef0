#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <consistency/core/error.hpp>
#include <consistency/io/bytes.hpp>

namespace consistency {

namespace detail {

[[noreturn]] inline void refuse_io(std::filesystem::path const& path, std::string what, int cause,
                                   std::string advice) {
  throw io_error{{.where = path.string(),
                  .what = std::move(what),
                  .found = std::generic_category().message(cause) + " (errno " + number_text(cause) + ")",
                  .expected = "",
                  .advice = std::move(advice)}};
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

/// A file that appears under its name whole and on disk, or not at all.
class AtomicFile {
 public:
  AtomicFile(std::filesystem::path const& path, std::uint64_t needed) : path_{path}, needed_{needed} {
    std::error_code ignored;
    auto const resolved = std::filesystem::weakly_canonical(path, ignored);  // follows a symbolic link
    target_ = resolved.empty() ? path : resolved;
    struct ::stat now {};
    replaces_ = ::stat(target_.c_str(), &now) == 0;
    if (replaces_ && !S_ISREG(now.st_mode))
      throw io_error{{path.string(), "not a regular file", "a folder, device or pipe", "a file to replace",
                      "Choose another name."}};
    auto const folder = target_.has_parent_path() ? target_.parent_path() : std::filesystem::path{"."};
    folder_ = FileDescriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder_.open()) refuse("open (folder)");
    create_in(folder, replaces_ ? now.st_mode & 0777U : 0666U);
  }
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(ByteView bytes) {
    constexpr auto largest_piece = std::size_t{1} << 30U;
    while (!bytes.empty()) {
      auto const piece = bytes.first(std::min(bytes.size(), largest_piece));
      auto const taken = ::write(file_.get(), piece.data(), piece.size());
      if (taken < 0 && errno == EINTR) continue;
      if (taken == 0) errno = EIO;
      if (taken <= 0) refuse("write");
      written_ += static_cast<std::uint64_t>(taken);
      bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
  }

  void commit() {
    if (::fsync(file_.get()) != 0) refuse("fsync");
    if (!file_.close()) refuse("close");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse("rename");
    temporary_.clear();
    if (::fsync(folder_.get()) != 0 && errno != EINVAL)  // EINVAL: a file system without this notion
      refuse_io(path_, "fsync (folder) failed", errno,
                "The new file is in place, but a power failure may bring the previous one back.");
  }

 private:
  // A short name of its own, so that the longest legal name of the target stays legal.
  void create_in(std::filesystem::path const& folder, ::mode_t mode) {
    static std::atomic<std::uint64_t> serial{0};
    constexpr auto attempts = 1000;
    for (auto attempt = 0; attempt < attempts && !file_.open(); ++attempt) {
      auto const name = folder / (".writing-" + number_text(::getpid()) + "-" + number_text(serial++));
      file_ = FileDescriptor{::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
      if (file_.open()) temporary_ = name;
      if (!file_.open() && errno != EEXIST && errno != EINTR) break;
    }
    if (!file_.open()) refuse("open (temporary file)");
  }

  [[noreturn]] void refuse(std::string const& call) const {
    refuse_io(path_,
              call + " failed after " + number_text(written_) + " of " + number_text(needed_) + " bytes",
              errno, replaces_ ? "The previous file was kept." : "No file was there before and none is now.");
  }

  std::filesystem::path path_, target_, temporary_;
  FileDescriptor folder_, file_;
  std::uint64_t needed_, written_ = 0;
  bool replaces_ = false;
};

}  // namespace detail

/// All bytes of a file or pipe. Throws io_error (open, read) or resource_error (no memory for it).
inline Bytes read_file(std::filesystem::path const& path) try {
  auto const file = detail::FileDescriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.open()) detail::refuse_io(path, "open failed", errno, "Check the name and its permissions.");
  struct ::stat now {};
  if (::fstat(file.get(), &now) != 0) detail::refuse_io(path, "fstat failed", errno, "");
  Bytes bytes(static_cast<std::size_t>(now.st_size) + 1);  // one more, to meet the end without growing
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(2 * filled + 4096);
    auto const got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) detail::refuse_io(path, "read failed after " + number_text(filled) + " bytes", errno, "");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
} catch (std::bad_alloc const&) {
  throw resource_error{{path.string(), "out of memory", "a file too large to hold", "", ""}};
} catch (std::length_error const&) {
  throw resource_error{{path.string(), "out of memory", "a file too large to hold", "", ""}};
}

/// Writes `parts` one after the other under a temporary name in the same folder, brings them to disk and only
/// then renames: a crash leaves the previous file or the new one, never a torn one. A symbolic link is
/// followed; a killed process may leave its .writing-* file behind. Throws io_error (call, cause, bytes
/// written of needed) after removing the temporary file.
inline void write_file_atomically(std::filesystem::path const& path, std::span<ByteView const> parts) {
  std::uint64_t needed = 0;
  for (auto const part : parts) needed += part.size();
  auto file = detail::AtomicFile{path, needed};
  for (auto const part : parts) file.write(part);
  file.commit();
}
inline void write_file_atomically(std::filesystem::path const& path, ByteView bytes) {
  write_file_atomically(path, std::span{&bytes, 1});
}

}  // namespace consistency
