// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include <fcntl.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/atomic_file.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace consistency {

namespace detail {

inline constexpr auto too_large = "a file too large to hold";

/// A file or pipe that is read from front to back. Throws io_error (open, fstat, read), and resource_error
/// for a size that no memory has.
class FileReader {
 public:
  explicit FileReader(std::filesystem::path const& path)
      : path_{path.string()}, file_{open_file(path.c_str(), O_RDONLY)} {
    if (!file_.open()) fail_io(path_, "open failed", errno, "Check the name and its permissions.");
    size_ = size_of(file_, path_);
  }

  std::optional<std::uint64_t> size() const { return size_; }  ///< nothing for pipes and devices
  std::string const& path() const { return path_; }

  /// Fills `to`, or as much of it as there are bytes left; how many.
  std::size_t read(std::span<std::byte> to) {
    std::size_t filled = 0;
    while (filled < to.size()) {
      auto const piece = static_cast<unsigned>(std::min<std::size_t>(to.size() - filled, largest_piece));
      auto const got = uninterrupted([&] { return ::read(file_.get(), to.data() + filled, piece); });
      if (got < 0) fail_io(path_, "read failed after " + number_text(done_) + " bytes", errno, "");
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
      done_ += static_cast<std::uint64_t>(got);
    }
    return filled;
  }

  /// Everything that is left, behind the bytes that are there already.
  void read_onto(Bytes& bytes) {
    auto const left = size_ && *size_ > done_ ? *size_ - done_ : 0;
    if (left >= std::numeric_limits<std::size_t>::max() / 2) fail_memory(path_, too_large);
    auto filled = bytes.size();
    bytes.resize(filled + static_cast<std::size_t>(left) + 1);  // one more, to meet the end without growing
    for (;;) {
      filled += read(std::span{bytes}.subspan(filled));
      if (filled < bytes.size()) break;
      bytes.resize(filled + filled / 2 + 4096);
    }
    bytes.resize(filled);
  }

 private:
  std::string path_;
  FileDescriptor file_;
  std::optional<std::uint64_t> size_;
  std::uint64_t done_ = 0;
};

/// read() of a file's contents; throws resource_error where there is no memory for them.
template <class Read>
auto within_memory(std::filesystem::path const& path, Read const& read) try {
  return read();
} catch (std::bad_alloc const&) {
  fail_memory(path, too_large);
} catch (std::length_error const&) {
  fail_memory(path, too_large);
}

}  // namespace detail

/// All bytes of a file or pipe. Throws io_error (open, read) or resource_error (no memory for it).
inline Bytes read_file(std::filesystem::path const& path) {
  return detail::within_memory(path, [&] {
    Bytes bytes;
    detail::FileReader{path}.read_onto(bytes);
    return bytes;
  });
}

/// Writes `parts` one after the other under a temporary name in the same folder, brings them to disk and only
/// then renames: a crash leaves the previous file or the new one, never a torn one. A symbolic link is
/// followed. A file that is replaced keeps its mode and, where the system allows it, its owner; a new one has
/// those of `like`, where that is a file. What a killed process leaves, .writing-*, goes when the same name
/// is next written. Throws io_error (call, cause, bytes written of needed) after removing the temporary file,
/// or resource_error.
inline void write_file_atomically(std::filesystem::path const& path, std::span<ByteView const> parts,
                                  std::filesystem::path const& like) {
  std::uint64_t needed = 0;
  for (auto const part : parts) needed += part.size();
  auto file = detail::AtomicFile{path, like, needed};
  for (auto const part : parts) file.write(part);
  file.commit();
}
inline void write_file_atomically(std::filesystem::path const& path, std::span<ByteView const> parts) {
  write_file_atomically(path, parts, path);
}
inline void write_file_atomically(std::filesystem::path const& path, ByteView bytes) {
  write_file_atomically(path, std::span{&bytes, 1});
}

}  // namespace consistency
