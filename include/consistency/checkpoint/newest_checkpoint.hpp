// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <consistency/checkpoint/checkpoint_file.hpp>

namespace consistency {

namespace detail {

/// name.ext to name<word>.ext, in the same folder.
inline std::string beside(std::string const& path, std::string_view word) {
  auto const slash = path.rfind('/');
  auto const name = slash == std::string::npos ? 0 : slash + 1;
  auto dot = path.rfind('.');
  if (dot == std::string::npos || dot <= name) dot = path.size();  // a dot that begins a name ends no stem
  return path.substr(0, dot).append(word).append(path, dot, std::string::npos);
}

/// Where save_checkpoint writes before it gives the file its name.
inline std::string next_checkpoint(std::string const& path) { return beside(path, ".next"); }

/// Whether something bears that name. Throws io_error where the system does not say.
inline bool is_there(std::string const& path) {
  struct ::stat now {};
  if (::stat(path.c_str(), &now) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR)
    fail_io(path, "stat failed", errno, "Check the permissions of its folder.");
  return false;
}

}  // namespace detail

/// The name under which `save_checkpoint` keeps the checkpoint before: name.previous.ext.
inline std::filesystem::path previous_checkpoint(std::filesystem::path const& path) {
  return detail::beside(path.native(), ".previous");
}

/// All names under which `save_checkpoint(path, …)` may leave a checkpoint, in the order in which they are to
/// be tried: the last one, the one before, and one that a killed process had no time to give its name.
inline std::array<std::filesystem::path, 3> checkpoint_names(std::filesystem::path const& path) {
  return {path, previous_checkpoint(path), detail::next_checkpoint(path.native())};
}

/// Whether a checkpoint, whole or not, bears one of these names. Throws io_error where the system does not
/// say.
inline bool has_checkpoint(std::filesystem::path const& path) {
  auto const names = checkpoint_names(path);
  return std::any_of(names.begin(), names.end(),
                     [](auto const& name) { return detail::is_there(name.native()); });
}

/// Removes the checkpoints of all these names. Throws io_error for one that stays.
inline void remove_checkpoints(std::filesystem::path const& path) {
  for (auto const& name : checkpoint_names(path))
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) detail::fail_io(name, "unlink failed", errno, "");
}

struct NewestCheckpoint {
  /// One that should have come before it, and what is wrong with it.
  struct Passed {
    std::filesystem::path path;
    ErrorCode code;
    std::string message;
  };

  CheckpointFile file;
  std::filesystem::path path;  ///< where it was found
  std::vector<Passed> passed;
};

/// The newest whole checkpoint of `save_checkpoint(path, …)`. Throws what CheckpointFile does of the first
/// that is there where none is whole, and io_error where none is there.
inline NewestCheckpoint newest_checkpoint(std::filesystem::path const& path) {
  std::vector<NewestCheckpoint::Passed> passed;
  std::exception_ptr first;
  for (auto const& name : checkpoint_names(path)) {
    try {
      if (!detail::is_there(name.native())) continue;
      return {CheckpointFile{name}, name, std::move(passed)};
    } catch (error const& failure) {
      if (failure.code() == ErrorCode::resource) throw;  // it may be whole
      if (!first) first = std::current_exception();
      passed.push_back({name, failure.code(), failure.what()});
    }
  }
  if (first) std::rethrow_exception(first);
  return {CheckpointFile{path}, path, {}};  // says that there is none
}

}  // namespace consistency
