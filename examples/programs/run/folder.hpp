// SPDX-License-Identifier: MIT
#pragma once

// The folder of a run: the names in it, and what is done with it as a whole.

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <consistency/checkpoint/checkpoint.hpp>

#include "../support/folder_lock.hpp"
#include "recipe.hpp"

namespace run {

class Folder {
 public:
  /// Creates the folder where it is missing, for the one process that writes in it. Throws config_error where
  /// another run works in it.
  explicit Folder(std::filesystem::path path, bool writes = true) : path_{std::move(path)} {
    if (writes) lock_.emplace(path_);
  }

  std::filesystem::path operator/(std::string const& name) const { return path_ / name; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint.safetensors"; }
  std::filesystem::path damaged() const { return path_ / "checkpoint.damaged.safetensors"; }
  std::filesystem::path history() const { return path_ / "history.safetensors"; }
  std::filesystem::path stats() const { return path_ / "stats.jsonl"; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }

  /// The newest whole checkpoint. One that should have come before it is said to be damaged and, where the
  /// system allows it, set aside.
  CheckpointFile newest() const {
    auto found = newest_checkpoint(checkpoint());
    for (auto const& [path, code, message] : found.passed) {
      std::fprintf(stderr, "%s\n", message.c_str());
      auto const broken = code == ErrorCode::integrity || code == ErrorCode::format;
      std::error_code failure;
      if (broken && lock_ && path == checkpoint()) std::filesystem::rename(path, damaged(), failure);
      if (failure) std::fprintf(stderr, "It cannot be set aside: %s.\n", failure.message().c_str());
    }
    if (found.path != checkpoint())
      std::fprintf(stderr, "%s is taken instead, at step %s.\n", found.path.c_str(),
                   to_text(found.file.step()).c_str());
    return std::move(found.file);
  }

  /// Before a new run: an unfinished one is not overwritten unless that is wanted. Throws config_error, and
  /// removes nothing.
  void check_free(bool overwrite) const {
    if (overwrite || !used()) return;
    auto const fail_with = [&](std::string what, std::string found, std::string const& advice) {
      fail<config_error>(path_.string(), std::move(what), std::move(found), "an empty folder",
                         advice + "choose another --out, or start again (--overwrite).");
    };
    try {
      auto const file = newest_checkpoint(checkpoint()).file;
      auto const steps = to_recipe(file.settings(), checkpoint().string()).steps;
      if (file.step() < steps)
        fail_with("an unfinished run is in this folder",
                  "step " + to_text(file.step()) + " of " + to_text(steps), "Go on with it (--resume), ");
    } catch (integrity_error const& failure) {
      fail_with("a damaged run is in this folder", failure.what(), "Mend it, ");
    } catch (format_error const& failure) {
      fail_with("a damaged run is in this folder", failure.what(), "Mend it, ");
    } catch (io_error const& failure) {
      fail_with("a run that cannot be read is in this folder", failure.what(), "Mend it, ");
    }
  }

  /// The first checkpoint of a new run is on disk: what is left of the run before goes.
  void forget_run_before() const {
    for (auto const& file : {previous_checkpoint(checkpoint()), damaged(), history()}) {
      std::error_code failure;
      std::filesystem::remove(file, failure);
      if (failure)
        std::fprintf(stderr, "%s of the run before cannot be removed: %s.\n", file.c_str(),
                     failure.message().c_str());
    }
  }

 private:
  bool used() const {
    return has_checkpoint(checkpoint()) || consistency::detail::is_there(damaged().native());
  }

  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
};

}  // namespace run
