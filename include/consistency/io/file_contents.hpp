// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include <fcntl.h>
#ifndef _WIN32
#include <sys/mman.h>
#endif

#include <consistency/core/bytes.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace consistency {

namespace detail {

/// A file where the system keeps it; nothing where it cannot.
inline std::span<std::byte> map_file([[maybe_unused]] FileDescriptor const& file,
                                     [[maybe_unused]] std::size_t size) {
#ifndef _WIN32
  auto* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (at != MAP_FAILED) return {static_cast<std::byte*>(at), size};
#endif
  return {};
}

inline void unmap([[maybe_unused]] std::span<std::byte> mapped) noexcept {
#ifndef _WIN32
  ::munmap(mapped.data(), mapped.size());
#endif
}

}  // namespace detail

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
    if (!mapped_.empty()) detail::unmap(mapped_);
  }

  /// Mapped where the system can, else read. Throws io_error or resource_error.
  static FileContents mapped(std::filesystem::path const& path) {
    auto const file = detail::open_file(path.c_str(), O_RDONLY);
    if (!file.open()) detail::fail_io(path, "open failed", errno, "Check the name and its permissions.");
    FileContents contents{Bytes{}};
    if (auto const size = detail::size_of(file, path).value_or(0); size > 0)
      contents.mapped_ = detail::map_file(file, static_cast<std::size_t>(size));
    if (contents.mapped_.empty()) contents.bytes_ = read_file(path);
    return contents;
  }

  ByteView view() const noexcept { return mapped_.empty() ? ByteView{bytes_} : ByteView{mapped_}; }

 private:
  Bytes bytes_;
  std::span<std::byte> mapped_;
};

}  // namespace consistency
