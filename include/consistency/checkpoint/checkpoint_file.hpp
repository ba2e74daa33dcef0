// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <consistency/core/version.hpp>
#include <consistency/io/finite.hpp>
#include <consistency/io/safetensors_read.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency {

/// Which of a run's arenas a tensor belongs to; its name in a file is `<role>/<parameter>`.
enum class Role : std::uint8_t { theta, target, averaged, first_moment, second_moment };

inline constexpr auto role_names =
    std::array<std::string_view, 5>{"theta", "target", "averaged", "first_moment", "second_moment"};

constexpr std::string_view role_name(Role role) { return role_names[static_cast<std::size_t>(role)]; }

namespace detail {

inline constexpr std::uint64_t checkpoint_format = 1;
inline constexpr std::string_view settings_prefix = "settings.", conventions_prefix = "conventions.";

inline std::string tensor_name(Role role, std::string const& parameter) {
  return std::string{role_name(role)} + "/" + parameter;
}

/// What a file lacks or has too much of, gathered into one error.
class Mismatches {
 public:
  void add(std::string line) { lines_.push_back(std::move(line)); }

  /// Throws mismatch_error unless there are none.
  void check(std::string const& file) const {
    if (lines_.empty()) return;
    constexpr auto shown = std::size_t{20};
    std::string text = number_text(lines_.size()) + " differences";
    for (std::size_t i = 0; i < std::min(shown, lines_.size()); ++i)
      text += (i == 0 ? ": " : "; ") + lines_[i];
    if (lines_.size() > shown) text += "; and " + number_text(lines_.size() - shown) + " more";
    fail<mismatch_error>(file, "tensors of another network", std::move(text),
                         "exactly the parameters of this network",
                         "Build the network from the file's own settings.");
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace detail

/// A checkpoint in memory, its digest verified: first its settings, then, for the network built from them,
/// its numbers.
class CheckpointFile {
 public:
  /// Throws io_error, format_error (no checkpoint, or of a later format) or integrity_error (damaged).
  explicit CheckpointFile(std::filesystem::path const& path)
      : name_{path.string()}, file_{read_safetensors(path)} {
    auto const& all = file_.metadata();
    if (!all.contains("format") || all.at("format") != "consistency checkpoint")
      fail<format_error>(name_, "not a checkpoint", "no format 'consistency checkpoint'",
                         "a file of save_checkpoint or save_parameters");
    if (auto const found = number<std::uint64_t>("format_version"); found > detail::checkpoint_format)
      fail<format_error>(name_, "format version", number_text(found),
                         "at most " + number_text(detail::checkpoint_format),
                         "It was written by version " + text("library_version") +
                             " of the library, this is " + std::string{version} + ": use the later one.");
    if (!file_.verified())
      fail<integrity_error>(name_, "digest", "none", "the digest that every checkpoint has",
                            "Another program rewrote the file: use another copy.");
    step_ = number<Index>("step");
    key_ = {number<std::uint64_t>("seed"), number<std::uint32_t>("stream")};
    for (auto const& [key, value] : all)
      if (key.starts_with(detail::settings_prefix))
        settings_.emplace(key.substr(detail::settings_prefix.size()), value);
  }

  Metadata const& settings() const noexcept { return settings_; }
  Index step() const noexcept { return step_; }
  Key key() const noexcept { return key_; }

  /// Throws mismatch_error, listing every tensor of the run's arenas that is missing, unexpected, or of
  /// another shape or type, or the convention that the file's numbers follow and the table's do not.
  void require_run_of(ParameterTable const& table) const {
    detail::Mismatches mismatches;
    auto const has_target = holds(Role::target);
    for (std::size_t role = 0; role < role_names.size(); ++role)
      if (static_cast<Role>(role) != Role::target || has_target)
        compare(table, static_cast<Role>(role), mismatches);
    unexpected(table, mismatches);
    mismatches.check(name_);
    require_conventions(table);
  }

  /// Throws as `require_run_of` does, and numeric_error for a number that is not finite.
  TrainingState<Tensor<float>> state(ParameterTable const& table) const {
    require_run_of(table);
    auto const has_target = holds(Role::target);
    return {copy(table, Role::theta),
            has_target ? std::optional{copy(table, Role::target)} : std::nullopt,
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
    require_conventions(table);
    return copy(table, role);
  }

 private:
  std::string text(std::string const& key) const {
    auto const at = file_.metadata().find(key);
    return at == file_.metadata().end() ? "(none)" : printable(at->second);
  }

  template <class Number>
  Number number(std::string const& key) const {
    auto const at = file_.metadata().find(key);
    if (at == file_.metadata().end())
      fail<format_error>(name_, "metadata", "no key '" + key + "'", "a whole number");
    auto const& digits = at->second;
    Number value{};
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size() || std::cmp_less(value, 0))
      fail<format_error>(name_, "metadata '" + key + "'", "'" + printable(digits) + "'", "a whole number");
    return value;
  }

  bool holds(Role role) const {
    auto const& all = file_.entries();
    return std::any_of(all.begin(), all.end(), [prefix = detail::tensor_name(role, "")](auto const& e) {
      return e.name.starts_with(prefix);
    });
  }

  /// Names and shapes agree: do meanings?
  void require_conventions(ParameterTable const& table) const {
    for (auto const& [convention, value, before] : table.conventions()) {
      auto const at = file_.metadata().find(std::string{detail::conventions_prefix} + convention);
      auto const says = at != file_.metadata().end();
      auto const found = says ? at->second : before;
      if (found != value)
        fail<mismatch_error>(name_, "parameters of a network with another setting '" + convention + "'",
                             printable(found) + (says ? "" : " (of files that do not say)"), value,
                             "Construct the network with ." + convention + " = " + printable(found) + ".");
    }
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
    auto* const numbers = arena.flat().mutable_data();
    for (auto const& parameter : table.entries()) {
      auto const name = detail::tensor_name(role, parameter.name);
      detail::copy_finite(name_, name, file_.find(name)->bytes, numbers + parameter.offset);
    }
    return arena;
  }

  std::string name_;
  SafetensorsFile file_;
  Metadata settings_;
  Index step_ = 0;
  Key key_{};
};

}  // namespace consistency
