#pragma once

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>

namespace example {

/// A folder that one run at a time works in.
class FolderLock {
 public:
  /// Creates the folder where it is missing, and locks it: throws config_error where another run works in it.
  explicit FolderLock(std::filesystem::path const& path) {
    std::filesystem::create_directories(path);
    handle_ = consistency::detail::FileDescriptor{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (handle_.open() && ::flock(handle_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw consistency::config_error{{path.string(), "the folder is in use", "another run in it",
                                       "a folder of one run",
                                       "Stop the other run, or choose another --out."}};
  }

 private:
  consistency::detail::FileDescriptor handle_;
};

}  // namespace example
