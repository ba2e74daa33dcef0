// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <consistency/checkpoint/checkpoint_file.hpp>
#include <consistency/checkpoint/newest_checkpoint.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/finite.hpp>
#include <consistency/io/safetensors_digest.hpp>
#include <consistency/io/safetensors_write.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency {

/// Everything that a run needs to go on.
struct Checkpoint {
  TrainingState<Tensor<float>> state;
  Metadata settings;  ///< whatever the program needs to build the same network, method and data again
};

namespace detail {

/// Appends the tensors of an arena, which must outlive them. Throws numeric_error where a number is not
/// finite.
inline void append_entries(std::vector<TensorEntry>& entries, char const* where, std::string_view name,
                           Parameters<Tensor<float>> const& arena) {
  for (ParameterId id = 0; id < arena.table().entries().size(); ++id) {
    auto const& parameter = arena.table().entries()[id];
    auto const values = arena[id].values();
    require_finite(where, tensor_name(name, parameter.name), values,
                   "Nothing was written; go on from the last checkpoint.");
    entries.push_back(tensor_entry(tensor_name(name, parameter.name), file_shape(parameter.shape), values));
  }
}

inline std::string joined(std::vector<NamedArena<Tensor<float>>> const& arenas) {
  std::string names;
  for (auto const& [name, numbers] : arenas) names += (names.empty() ? "" : ",") + name;
  return names;
}

inline Metadata checkpoint_metadata(ParameterTable const& table, Index step, Key key,
                                    Metadata const& settings, std::string const& process = {},
                                    std::string const& model = {}) {
  Metadata all = {
      {"format", "consistency checkpoint"},      {"format_version", number_text(checkpoint_format)},
      {"library_version", std::string{version}}, {"step", number_text(step)},
      {"seed", number_text(key.seed)},           {"stream", number_text(key.stream)}};
  for (auto const& [key_text, value] : settings) all.emplace(std::string{settings_prefix} + key_text, value);
  for (auto const& [name, value, before] : table.conventions())
    all.emplace(std::string{conventions_prefix} + name, value);
  if (!process.empty()) all.emplace("process", process);
  if (!model.empty()) all.emplace("model", model);
  return all;
}

inline void rename_or_fail(std::string const& from, std::string const& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_io(to, "rename failed", errno, "");
}

/// `from` gets the second name `to`, in place of what bore it; it keeps its own name where the file system
/// can link.
inline void give_name(std::string const& from, std::string const& to) {
  auto link = TemporaryName{to + ".link"};
  link.hold();  // rename() does nothing where both are one file already
  ::unlink(link.name().c_str());
  auto const linked = ::link(from.c_str(), link.name().c_str()) == 0;
  rename_or_fail(linked ? link.name() : from, to);
}

/// What a killed save may have left: a link, and a whole checkpoint that has not got its name.
inline void take_up_killed_save(std::string const& path, std::string const& next,
                                std::string const& previous) {
  ::unlink((previous + ".link").c_str());
  if (::access(next.c_str(), F_OK) == 0 && !is_whole_safetensors(path) && is_whole_safetensors(next))
    rename_or_fail(next, path);
}

/// save_checkpoint for tensors and names that are made.
inline void replace_checkpoint(std::string const& path, std::span<TensorEntry const> entries,
                               Metadata const& metadata) {
  auto const previous = beside(path, ".previous");
  auto next = TemporaryName{next_checkpoint(path)};
  take_up_killed_save(path, next.name(), previous);
  next.hold();
  write_safetensors(next.name(), entries, metadata, true, path);
  check_whole_safetensors(next.name());
  if (is_whole_safetensors(path)) give_name(path, previous);
  rename_or_fail(next.name(), path);
  next.release();
}

}  // namespace detail

/// Writes a run's state and settings as one safetensors file with digests, reads it back to verify it, and
/// only then lets it take the place of the checkpoint before, which, if it is whole, stays under
/// `previous_checkpoint(path)`. At every moment one of `checkpoint_names(path)` holds a whole checkpoint,
/// once there was one, and `newest_checkpoint(path)` finds it. Mode and owner are kept. `model` is what
/// `describe_model` says, for `load_model`. Throws io_error,
/// integrity_error (it differs when it is read back), numeric_error (a number that is not finite) or
/// config_error (settings that are not UTF-8); the last checkpoint is then still there.
inline void save_checkpoint(std::filesystem::path const& path, TrainingState<Tensor<float>> const& state,
                            Metadata const& settings, std::string const& model = {}) {
  // Names every field: one more field in TrainingState does not compile until it is saved and loaded too.
  auto const& [theta, target, averaged, averages, optimizer, step, key, process] = state;
  constexpr auto where = "save_checkpoint";
  std::vector<TensorEntry> entries;
  for_arenas(state, [&](std::string const& name, Parameters<Tensor<float>> const& arena) {
    detail::append_entries(entries, where, name, arena);
  });
  auto metadata = detail::checkpoint_metadata(theta.table(), step, key, settings, process, model);
  metadata.emplace("averages", detail::joined(averages));
  metadata.emplace("optimizer", detail::joined(optimizer));
  try {
    detail::replace_checkpoint(path.native(), entries, metadata);
  } catch (io_error const& failure) {
    auto report = failure.report();
    report.where = path.string();
    auto const names = checkpoint_names(path);
    auto const kept = std::any_of(names.begin(), names.end(),
                                  [](auto const& name) { return ::access(name.c_str(), F_OK) == 0; });
    report.advice = kept ? "The last checkpoint was kept." : "There is no checkpoint yet.";
    throw io_error{report};
  }
  auto const folder = detail::open_file(detail::folder_of(path.native()).c_str(), O_RDONLY | O_DIRECTORY);
  if (!folder.open() || !detail::sync_folder(folder.get()))
    detail::fail_io(path, "fsync (folder) failed", errno,
                    "The checkpoint is in place, but not yet safe from a power failure.");
}

/// Throws as CheckpointFile and its `state` do.
inline Checkpoint load_checkpoint(std::filesystem::path const& path, ParameterTable const& table) {
  auto const file = CheckpointFile{path};
  return {file.state(table), file.settings()};
}

/// Writes one arena alone, such as "averaged", of a network that the reader builds. `process` is the text of
/// the noise process that it was trained on, `model` what `describe_model` says. `load_parameters` reads it.
inline void save_parameters(std::filesystem::path const& path, Parameters<Tensor<float>> const& parameters,
                            std::string_view arena, Index step, Metadata const& settings, Key key = {},
                            std::string const& process = {}, std::string const& model = {}) {
  std::vector<TensorEntry> entries;
  detail::append_entries(entries, "save_parameters", arena, parameters);
  write_safetensors(path, entries,
                    detail::checkpoint_metadata(parameters.table(), step, key, settings, process, model));
}

/// The parameters of one arena of a checkpoint or of a file of `save_parameters`. Throws as CheckpointFile
/// does.
inline Parameters<Tensor<float>> load_parameters(std::filesystem::path const& path,
                                                 ParameterTable const& table, std::string_view arena) {
  return CheckpointFile{path}.parameters(table, arena);
}

}  // namespace consistency
