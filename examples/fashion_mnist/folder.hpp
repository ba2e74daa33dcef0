#pragma once

// The folder of a run: the names in it, and what is done with it as a whole.

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <consistency/io/checkpoint.hpp>

#include "../support/folder_lock.hpp"
#include "recipe.hpp"

namespace fashion {

class Folder {
 public:
  /// Creates the folder where it is missing. Throws config_error where another run works in it.
  explicit Folder(std::filesystem::path path) : path_{std::move(path)}, lock_{path_} {}

  std::filesystem::path operator/(char const* name) const { return path_ / name; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint.safetensors"; }
  std::filesystem::path history() const { return path_ / "history.safetensors"; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }

  /// The newest whole checkpoint. Where the last one is damaged it is set aside, and the one before is taken.
  CheckpointFile newest() const {
    try {
      return CheckpointFile{checkpoint()};
    } catch (error const& failure) {
      auto const before = previous_checkpoint(checkpoint());
      if (!std::filesystem::exists(before)) throw;
      auto file = CheckpointFile{before};
      if (failure.code() == ErrorCode::integrity || failure.code() == ErrorCode::format)
        std::filesystem::rename(checkpoint(), path_ / "checkpoint.damaged.safetensors");
      std::fprintf(stderr, "%s\nThe checkpoint before it is taken instead, at step %s.\n", failure.what(),
                   to_text(file.step()).c_str());
      return file;
    }
  }

  /// Makes way for a new run. Unless told to overwrite it, an unfinished run is not destroyed: config_error.
  void clear(bool overwrite) const {
    if (!overwrite && std::filesystem::exists(checkpoint())) {
      auto const file = newest();
      auto const steps = to_recipe(file.settings(), checkpoint().string()).steps;
      if (file.step() < steps)
        throw config_error{{path_.string(), "an unfinished run is in this folder",
                            "step " + to_text(file.step()) + " of " + to_text(steps), "an empty folder",
                            "Go on with it (--resume), choose another --out, or start again (--overwrite)."}};
    }
    for (auto const& file : {checkpoint(), previous_checkpoint(checkpoint()), history()})
      std::filesystem::remove(file);
  }

 private:
  std::filesystem::path path_;
  FolderLock lock_;
};

}  // namespace fashion
