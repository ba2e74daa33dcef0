// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>

#include <consistency/core/error.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace example {

/// A folder that one run at a time works in.
class FolderLock {
 public:
  /// Creates the folder where it is missing, and locks it. Throws io_error where there can be none, and
  /// config_error where another run works in it.
  explicit FolderLock(std::filesystem::path const& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (!failure) handle_ = consistency::detail::open_file(path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!handle_.open())
      consistency::detail::fail_io(path, "no folder can be made or opened here",
                                   failure ? failure.value() : errno, "Choose another --out.");
    if (::flock(handle_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      consistency::fail<consistency::config_error>(path.string(), "the folder is in use", "another run in it",
                                                   "a folder of one run",
                                                   "Stop the other run, or choose another --out.");
  }

 private:
  consistency::detail::FileDescriptor handle_;
};

}  // namespace example
