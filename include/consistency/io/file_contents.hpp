// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <consistency/core/bytes.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace consistency {

/// The bytes of a file: read into memory, or seen where the system keeps them. What is mapped must not be
/// shortened by others as long as this lives, or its reader is killed; a file that is replaced by another of
/// its name stays as it was.
class FileContents {
 public:
  FileContents(Bytes bytes) noexcept : bytes_{std::move(bytes)} {}  // NOLINT(google-explicit-constructor)
  FileContents(FileContents&& other) noexcept
      : bytes_{std::move(other.bytes_)}, mapped_{std::exchange(other.mapped_, {})} {}
  FileContents& operator=(FileContents&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_, other.mapped_);
    return *this;
  }
  ~FileContents() {
    if (!mapped_.empty()) ::munmap(mapped_.data(), mapped_.size());
  }

  /// Mapped where the system can, else read. Throws io_error or resource_error.
  static FileContents mapped(std::filesystem::path const& path) {
    auto const file = detail::open_file(path.c_str(), O_RDONLY);
    if (!file.open()) detail::fail_io(path, "open failed", errno, "Check the name and its permissions.");
    struct ::stat now {};
    if (::fstat(file.get(), &now) != 0) detail::fail_io(path, "fstat failed", errno, "");
    FileContents contents{Bytes{}};
    if (S_ISREG(now.st_mode) && now.st_size > 0) {
      auto const size = static_cast<std::size_t>(now.st_size);
      auto* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
      if (at != MAP_FAILED) {
        contents.mapped_ = {static_cast<std::byte*>(at), size};
        return contents;
      }
    }
    contents.bytes_ = read_file(path);
    return contents;
  }

  ByteView view() const noexcept { return mapped_.empty() ? ByteView{bytes_} : ByteView{mapped_}; }

 private:
  Bytes bytes_;
  std::span<std::byte> mapped_;
};

}  // namespace consistency
