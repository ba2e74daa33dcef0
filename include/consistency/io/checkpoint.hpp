#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <consistency/core/version.hpp>
#include <consistency/io/checkpoint_file.hpp>
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
inline void append_entries(std::vector<TensorEntry>& entries, Role role,
                           Parameters<Tensor<float>> const& arena) {
  for (ParameterId id = 0; id < arena.table().entries().size(); ++id) {
    auto const& parameter = arena.table().entries()[id];
    auto const values = arena[id].values();
    auto const bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      throw numeric_error{{.where = "save_checkpoint",
                           .what = "tensor '" + tensor_name(role, parameter.name) + "'",
                           .found = number_text(*bad) + " at value " + number_text(bad - values.begin()),
                           .expected = "finite numbers",
                           .advice = "Nothing was written; go on from the last checkpoint."}};
    entries.push_back(tensor_entry(tensor_name(role, parameter.name), file_shape(parameter.shape), values));
  }
}

inline Metadata checkpoint_metadata(ParameterTable const& table, Index step, Key key,
                                    Metadata const& settings) {
  Metadata all = {
      {"format", "consistency checkpoint"},      {"format_version", number_text(checkpoint_format)},
      {"library_version", std::string{version}}, {"step", number_text(step)},
      {"seed", number_text(key.seed)},           {"stream", number_text(key.stream)}};
  for (auto const& [key_text, value] : settings) all.emplace(std::string{settings_prefix} + key_text, value);
  for (auto const& [name, value, before] : table.conventions())
    all.emplace(std::string{conventions_prefix} + name, value);
  return all;
}

inline void rename_or_refuse(std::filesystem::path const& from, std::filesystem::path const& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) refuse_io(to, "rename failed", errno, "");
}

/// `from` gets the second name `to`, in place of what bore it; it keeps its own name where the file system
/// can link.
inline void give_name(std::filesystem::path const& from, std::filesystem::path const& to) {
  auto const link = to.string() + ".link";
  ::unlink(link.c_str());
  auto const linked = ::link(from.c_str(), link.c_str()) == 0;
  rename_or_refuse(linked ? std::filesystem::path{link} : from, to);
  ::unlink(link.c_str());  // rename() does nothing where both are one file already
}

}  // namespace detail

/// The name under which `save_checkpoint` keeps the checkpoint before: name.previous.ext.
inline std::filesystem::path previous_checkpoint(std::filesystem::path const& path) {
  auto previous = path;
  return previous.replace_filename(path.stem().string() + ".previous" + path.extension().string());
}

/// Writes a run's state and settings as one safetensors file with a digest, reads it back to verify it, and
/// only then lets it take the place of the checkpoint before, which stays under `previous_checkpoint(path)`.
/// At every moment one of the two names holds a whole checkpoint. Throws io_error, numeric_error (a number
/// that is not finite) or config_error (settings that are not UTF-8); the last checkpoint is then still
/// there.
inline void save_checkpoint(std::filesystem::path const& path, TrainingState<Tensor<float>> const& state,
                            Metadata const& settings) {
  // Names every field: one more field in TrainingState does not compile until it is saved and loaded too.
  auto const& [theta, target, averaged, first_moment, second_moment, step, key] = state;
  std::vector<TensorEntry> entries;
  detail::append_entries(entries, Role::theta, theta);
  if (target) detail::append_entries(entries, Role::target, *target);
  detail::append_entries(entries, Role::averaged, averaged);
  detail::append_entries(entries, Role::first_moment, first_moment);
  detail::append_entries(entries, Role::second_moment, second_moment);

  auto next = path;
  next.replace_filename(path.stem().string() + ".next" + path.extension().string());
  std::error_code ignored;
  auto const replaces = std::filesystem::exists(path, ignored);
  try {
    write_safetensors(next, entries, detail::checkpoint_metadata(theta.table(), step, key, settings));
    static_cast<void>(CheckpointFile{next});
    if (replaces) detail::give_name(path, previous_checkpoint(path));
    detail::rename_or_refuse(next, path);
  } catch (io_error const& failure) {
    ::unlink(next.c_str());
    auto report = failure.report();
    report.where = path.string();
    report.advice = replaces ? "The last checkpoint was kept." : "There is no checkpoint yet.";
    throw io_error{report};
  } catch (...) {
    ::unlink(next.c_str());
    throw;
  }
  auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  if (auto const handle = detail::FileDescriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
      !handle.open() || (::fsync(handle.get()) != 0 && errno != EINVAL))
    detail::refuse_io(path, "fsync (folder) failed", errno,
                      "The checkpoint is in place, but not yet safe from a power failure.");
}

/// Throws as CheckpointFile and its `state` do.
inline Checkpoint load_checkpoint(std::filesystem::path const& path, ParameterTable const& table) {
  auto const file = CheckpointFile{path};
  return {file.state(table), file.settings()};
}

/// Writes one role's parameters alone: a small file, enough to sample from. `load_parameters` reads it.
inline void save_parameters(std::filesystem::path const& path, Parameters<Tensor<float>> const& parameters,
                            Role role, Index step, Metadata const& settings, Key key = {}) {
  std::vector<TensorEntry> entries;
  detail::append_entries(entries, role, parameters);
  write_safetensors(path, entries, detail::checkpoint_metadata(parameters.table(), step, key, settings));
}

/// The parameters of one role of a checkpoint or of a file of `save_parameters`. Throws as CheckpointFile
/// does.
inline Parameters<Tensor<float>> load_parameters(std::filesystem::path const& path,
                                                 ParameterTable const& table, Role role) {
  return CheckpointFile{path}.parameters(table, role);
}

}  // namespace consistency
