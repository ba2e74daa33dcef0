#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <consistency/core/version.hpp>
#include <consistency/io/safetensors.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency {

/// Which of a run's arenas a tensor belongs to; its name in a file is `<role>/<parameter>`.
enum class Role : std::uint8_t { theta, target, averaged, first_moment, second_moment };

inline constexpr auto role_names =
    std::array<std::string_view, 5>{"theta", "target", "averaged", "first_moment", "second_moment"};

constexpr std::string_view name(Role role) { return role_names[static_cast<std::size_t>(role)]; }

/// Everything that a run needs to go on.
struct Checkpoint {
  TrainingState<Tensor<float>> state;
  Metadata
      settings;  ///< whatever the program needs to build the same network, method, optimizer and data again
};

namespace detail {

inline constexpr std::uint64_t checkpoint_format = 1;
inline constexpr std::string_view settings_prefix = "settings.";

inline std::string tensor_name(Role role, std::string const& parameter) {
  return std::string{name(role)} + "/" + parameter;
}

inline std::vector<std::uint64_t> file_shape(Shape const& shape) { return {shape.begin(), shape.end()}; }

inline std::string shape_text(std::vector<std::uint64_t> const& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

/// Appends the tensors of an arena, which must outlive them. Throws numeric_error where a number is not
/// finite.
inline void append_entries(std::vector<TensorEntry>& entries, Role role,
                           Parameters<Tensor<float>> const& arena) {
  for (ParameterId id = 0; id < arena.table().entries().size(); ++id) {
    auto const& parameter = arena.table().entries()[id];
    auto const values = arena[id].values();
    auto const bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      throw numeric_error{
          {.where = "save_checkpoint",
           .what = "tensor '" + tensor_name(role, parameter.name) + "'",
           .found = std::to_string(*bad) + " at value " + std::to_string(bad - values.begin()),
           .expected = "finite numbers",
           .advice = "Nothing was written; go on from the last checkpoint."}};
    entries.push_back(tensor_entry(tensor_name(role, parameter.name), file_shape(parameter.shape), values));
  }
}

inline Metadata checkpoint_metadata(Index step, Key key, Metadata const& settings) {
  Metadata all = {
      {"format", "consistency checkpoint"},      {"format_version", std::to_string(checkpoint_format)},
      {"library_version", std::string{version}}, {"step", std::to_string(step)},
      {"seed", std::to_string(key.seed)},        {"stream", std::to_string(key.stream)}};
  for (auto const& [key_text, value] : settings) all.emplace(std::string{settings_prefix} + key_text, value);
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

/// What a file lacks or has too much of, gathered into one error.
class Mismatches {
 public:
  void add(std::string line) { lines_.push_back(std::move(line)); }

  /// Throws mismatch_error unless there are none.
  void check(std::string const& file) const {
    if (lines_.empty()) return;
    constexpr auto shown = std::size_t{20};
    std::string text = std::to_string(lines_.size()) + " differences";
    for (std::size_t i = 0; i < std::min(shown, lines_.size()); ++i)
      text += (i == 0 ? ": " : "; ") + lines_[i];
    if (lines_.size() > shown) text += "; and " + std::to_string(lines_.size() - shown) + " more";
    throw mismatch_error{{.where = file,
                          .what = "tensors of another network",
                          .found = std::move(text),
                          .expected = "exactly the parameters of this network",
                          .advice = "Build the network from the file's own settings."}};
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace detail

/// The name under which `save_checkpoint` keeps the checkpoint before: name.previous.ext.
inline std::filesystem::path previous_checkpoint(std::filesystem::path const& path) {
  auto previous = path;
  return previous.replace_filename(path.stem().string() + ".previous" + path.extension().string());
}

/// A checkpoint in memory, its digest verified: first its settings, then, for the network built from them,
/// its numbers.
class CheckpointFile {
 public:
  /// Throws io_error, format_error (no checkpoint, or of a later format) or integrity_error (damaged).
  explicit CheckpointFile(std::filesystem::path const& path)
      : name_{path.string()}, file_{read_safetensors(path)} {
    auto const& all = file_.metadata();
    if (!all.contains("format") || all.at("format") != "consistency checkpoint")
      refuse("not a checkpoint", "no format 'consistency checkpoint'",
             "a file of save_checkpoint or save_parameters");
    if (auto const found = number<std::uint64_t>("format_version"); found > detail::checkpoint_format)
      refuse("format version", std::to_string(found), "at most " + std::to_string(detail::checkpoint_format),
             "It was written by version " + text("library_version") + " of the library, this is " +
                 std::string{version} + ": use the later one.");
    if (!file_.verified())
      throw integrity_error{{name_, "digest", "none", "the digest that every checkpoint has",
                             "Another program rewrote the file: use another copy."}};
    step_ = number<Index>("step");
    key_ = {number<std::uint64_t>("seed"), number<std::uint32_t>("stream")};
    for (auto const& [key, value] : all)
      if (key.starts_with(detail::settings_prefix))
        settings_.emplace(key.substr(detail::settings_prefix.size()), value);
  }

  Metadata const& settings() const noexcept { return settings_; }
  Index step() const noexcept { return step_; }
  Key key() const noexcept { return key_; }

  /// Throws mismatch_error, listing every tensor that is missing, unexpected, or of another shape or type.
  TrainingState<Tensor<float>> state(ParameterTable const& table) const {
    detail::Mismatches mismatches;
    for (std::size_t role = 0; role < role_names.size(); ++role)
      compare(table, static_cast<Role>(role), mismatches);
    unexpected(table, mismatches);
    mismatches.check(name_);
    return {copy(table, Role::theta),
            copy(table, Role::target),
            copy(table, Role::averaged),
            copy(table, Role::first_moment),
            copy(table, Role::second_moment),
            step_,
            key_};
  }

  /// One role alone; the others may be absent. Throws as `state` does.
  Parameters<Tensor<float>> parameters(ParameterTable const& table, Role role) const {
    detail::Mismatches mismatches;
    compare(table, role, mismatches);
    unexpected(table, mismatches);
    mismatches.check(name_);
    return copy(table, role);
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string found, std::string expected,
                           std::string advice = "") const {
    throw format_error{{name_, std::move(what), std::move(found), std::move(expected), std::move(advice)}};
  }

  std::string text(std::string const& key) const {
    auto const at = file_.metadata().find(key);
    return at == file_.metadata().end() ? "(none)" : printable(at->second);
  }

  template <class Number>
  Number number(std::string const& key) const {
    auto const at = file_.metadata().find(key);
    if (at == file_.metadata().end()) refuse("metadata", "no key '" + key + "'", "a whole number");
    auto const& digits = at->second;
    Number value{};
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size() || std::cmp_less(value, 0))
      refuse("metadata '" + key + "'", "'" + printable(digits) + "'", "a whole number");
    return value;
  }

  void compare(ParameterTable const& table, Role role, detail::Mismatches& mismatches) const {
    for (auto const& parameter : table.entries()) {
      auto const wanted = detail::tensor_name(role, parameter.name);
      auto const* const found = file_.find(wanted);
      if (found == nullptr) {
        mismatches.add(wanted + " is missing");
        continue;
      }
      if (auto const shape = detail::file_shape(parameter.shape); found->shape != shape)
        mismatches.add(wanted + " has shape " + detail::shape_text(found->shape) + ", not " +
                       detail::shape_text(shape));
      if (found->dtype != DType::f32)
        mismatches.add(wanted + " has type " + std::string{facts(found->dtype).name} + ", not F32");
    }
  }

  void unexpected(ParameterTable const& table, detail::Mismatches& mismatches) const {
    std::vector<std::string> known;
    for (auto const& parameter : table.entries())
      for (auto const role : role_names) known.push_back(std::string{role} + "/" + parameter.name);
    std::sort(known.begin(), known.end());
    for (auto const& entry : file_.entries())
      if (!std::binary_search(known.begin(), known.end(), entry.name))
        mismatches.add(printable(entry.name) + " is unexpected");
  }

  Parameters<Tensor<float>> copy(ParameterTable const& table, Role role) const {
    auto arena = Parameters<Tensor<float>>{table};
    for (auto const& parameter : table.entries()) {
      auto const bytes = file_.find(detail::tensor_name(role, parameter.name))->bytes;
      if (!bytes.empty())
        std::memcpy(arena.flat().mutable_data() + parameter.offset, bytes.data(), bytes.size());
    }
    return arena;
  }

  std::string name_;
  SafetensorsFile file_;
  Metadata settings_;
  Index step_ = 0;
  Key key_{};
};

/// Writes a run's state and settings as one safetensors file with a digest, reads it back to verify it, and
/// only then lets it take the place of the checkpoint before, which stays under `previous_checkpoint(path)`.
/// At every moment one of the two names holds a whole checkpoint. Throws io_error, numeric_error (a number
/// that is not finite) or config_error (settings that are not UTF-8); the last checkpoint is then still
/// there.
inline void save_checkpoint(std::filesystem::path const& path, TrainingState<Tensor<float>> const& state,
                            Metadata const& settings) {
  // Names every field, so that one more field in TrainingState does not compile until it is saved and loaded
  // too.
  auto const& [theta, target, averaged, first_moment, second_moment, step, key] = state;
  std::vector<TensorEntry> entries;
  detail::append_entries(entries, Role::theta, theta);
  detail::append_entries(entries, Role::target, target);
  detail::append_entries(entries, Role::averaged, averaged);
  detail::append_entries(entries, Role::first_moment, first_moment);
  detail::append_entries(entries, Role::second_moment, second_moment);

  auto next = path;
  next.replace_filename(path.stem().string() + ".next" + path.extension().string());
  std::error_code ignored;
  auto const replaces = std::filesystem::exists(path, ignored);
  try {
    write_safetensors(next, entries, detail::checkpoint_metadata(step, key, settings));
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
  write_safetensors(path, entries, detail::checkpoint_metadata(step, key, settings));
}

/// The parameters of one role of a checkpoint or of a file of `save_parameters`. Throws as CheckpointFile
/// does.
inline Parameters<Tensor<float>> load_parameters(std::filesystem::path const& path,
                                                 ParameterTable const& table, Role role) {
  return CheckpointFile{path}.parameters(table, role);
}

}  // namespace consistency
