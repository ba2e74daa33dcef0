// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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

#include <consistency/core/glob.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/finite.hpp>
#include <consistency/io/safetensors_read.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/process/process.hpp>
#include <consistency/training/trainer.hpp>

namespace consistency {

namespace detail {

inline constexpr std::uint64_t checkpoint_format = 1;
inline constexpr std::string_view settings_prefix = "settings.", conventions_prefix = "conventions.";

/// A tensor's name in a file: that of its arena, as `for_arenas` has it, and of its parameter.
inline std::string tensor_name(std::string_view arena, std::string const& parameter) {
  return std::string{arena} + "/" + parameter;
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
      : CheckpointFile{read_safetensors(path), path.string()} {}
  /// The same of a file already in memory; `name` is for messages.
  CheckpointFile(SafetensorsFile file, std::string name) : name_{std::move(name)}, file_{std::move(file)} {
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
    averages_ = named_arenas("averages", "");
    optimizer_ = named_arenas("optimizer", "first_moment,second_moment");  // of files that do not say
  }

  std::string const& name() const noexcept { return name_; }
  Metadata const& settings() const noexcept { return settings_; }
  Index step() const noexcept { return step_; }
  Key key() const noexcept { return key_; }
  /// The noise process of what was trained, as text; empty in files that do not say.
  std::string process() const { return optional("process", ""); }
  /// What `describe_model` said of the model whose numbers these are; empty in files that do not say.
  std::string model() const { return optional("model", ""); }
  std::string library_version() const { return optional("library_version", ""); }  ///< that wrote the file

  /// Throws mismatch_error where the file says that it was trained on another noise process.
  void require_process(NoiseProcess auto const& process) const {
    if (auto const found = optional("process", ""); !found.empty() && found != process.text())
      fail<mismatch_error>(name_, "noise process", printable(found), process.text(),
                           "Construct f with the process that the file was trained on.");
  }

  /// Throws mismatch_error, listing every tensor of the run's arenas that is missing, unexpected, or of
  /// another shape or type, or the convention that the file's numbers follow and the table's do not.
  void require_run_of(ParameterTable const& table) const {
    detail::Mismatches mismatches;
    for (auto const& arena : arenas_)
      if (arena != "target" || holds("target")) compare(table, arena, mismatches);
    unexpected(table, mismatches);
    mismatches.check(name_);
    require_conventions(table);
  }

  /// Throws as `require_run_of` does, and numeric_error for a number that is not finite.
  TrainingState<Tensor<float>> state(ParameterTable const& table) const {
    require_run_of(table);
    auto const all = [&](std::vector<std::string> const& names) {
      std::vector<NamedArena<Tensor<float>>> arenas;
      arenas.reserve(names.size());
      for (auto const& name : names) arenas.push_back({name, copy(table, name)});
      return arenas;
    };
    return {copy(table, "theta"),
            holds("target") ? std::optional{copy(table, "target")} : std::nullopt,
            copy(table, "averaged"),
            all(averages_),
            all(optimizer_),
            step_,
            key_,
            process()};
  }

  /// One arena alone, such as "averaged"; the others may be absent. Throws as `state` does.
  Parameters<Tensor<float>> parameters(ParameterTable const& table, std::string_view arena) const {
    detail::Mismatches mismatches;
    compare(table, arena, mismatches);
    unexpected(table, mismatches);
    mismatches.check(name_);
    require_conventions(table);
    return copy(table, arena);
  }

  /// Of one arena the parameters whose names match a pattern, in which * stands for any text, into `theta`;
  /// the others stay. Returns the names. Throws mismatch_error where the file has not all of them in the same
  /// shapes, or theta none, and numeric_error for a number that is not finite; theta is then as before.
  std::vector<std::string> parameters_into(Parameters<Tensor<float>>& theta, std::string_view arena,
                                           std::string_view pattern) const {
    detail::Mismatches mismatches;
    std::vector<std::string> names;
    for (auto const& parameter : theta.table().entries())
      if (matches(pattern, parameter.name)) {
        compare(parameter, arena, mismatches);
        names.push_back(parameter.name);
      }
    if (names.empty()) mismatches.add("no parameter is called " + printable(pattern));
    mismatches.check(name_);
    auto loaded = theta;
    for (auto const& name : names) read(loaded, *theta.table().find(name), arena);
    theta = std::move(loaded);
    return names;
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

  std::string optional(std::string const& key, std::string const& otherwise) const {
    auto const at = file_.metadata().find(key);
    return at == file_.metadata().end() ? otherwise : at->second;
  }
  /// The names in the metadata, separated by commas: each is another arena's. They cost a state's memory
  /// each, so that a file may not repeat one.
  std::vector<std::string> named_arenas(std::string const& key, std::string const& otherwise) {
    auto const list = optional(key, otherwise);
    std::vector<std::string> names;
    for (std::size_t from = 0; !list.empty() && from <= list.size();) {
      auto const comma = std::min(list.find(',', from), list.size());
      auto const name = list.substr(from, comma - from);
      if (name.empty() || std::count(arenas_.begin(), arenas_.end(), name) > 0 || arenas_.size() >= 100)
        fail<format_error>(name_, "metadata '" + key + "'", "'" + printable(list) + "'",
                           "names of arenas, each once, at most 100 in all");
      names.push_back(name);
      arenas_.push_back(name);
      from = comma + 1;
    }
    return names;
  }

  bool holds(std::string_view arena) const {
    auto const& all = file_.entries();
    return std::any_of(all.begin(), all.end(), [prefix = detail::tensor_name(arena, "")](auto const& e) {
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

  void compare(ParameterTable const& table, std::string_view arena, detail::Mismatches& mismatches) const {
    for (auto const& parameter : table.entries()) compare(parameter, arena, mismatches);
  }
  void compare(ParameterTable::Entry const& parameter, std::string_view arena,
               detail::Mismatches& mismatches) const {
    auto const wanted = detail::tensor_name(arena, parameter.name);
    auto const* const found = file_.find(wanted);
    if (found == nullptr) return mismatches.add(wanted + " is missing");
    if (auto const shape = detail::file_shape(parameter.shape); found->shape != shape)
      mismatches.add(wanted + " has shape " + detail::shape_text(found->shape) + ", not " +
                     detail::shape_text(shape));
    if (found->dtype != DType::f32)
      mismatches.add(wanted + " has type " + std::string{facts(found->dtype).name} + ", not F32");
  }

  void unexpected(ParameterTable const& table, detail::Mismatches& mismatches) const {
    std::vector<std::string> known;
    for (auto const& parameter : table.entries())
      for (auto const& arena : arenas_) known.push_back(detail::tensor_name(arena, parameter.name));
    std::sort(known.begin(), known.end());
    for (auto const& entry : file_.entries())
      if (!std::binary_search(known.begin(), known.end(), entry.name))
        mismatches.add(printable(entry.name) + " is unexpected");
  }

  Parameters<Tensor<float>> copy(ParameterTable const& table, std::string_view arena) const {
    auto numbers = Parameters<Tensor<float>>{table};
    for (ParameterId id = 0; id < table.entries().size(); ++id) read(numbers, id, arena);
    return numbers;
  }
  void read(Parameters<Tensor<float>>& numbers, ParameterId id, std::string_view arena) const {
    auto const& parameter = numbers.table().entries()[id];
    auto const name = detail::tensor_name(arena, parameter.name);
    detail::copy_finite(name_, name, file_.find(name)->bytes,
                        numbers.flat().mutable_data() + parameter.offset);
  }

  std::string name_;
  SafetensorsFile file_;
  Metadata settings_;
  Index step_ = 0;
  Key key_{};
  std::vector<std::string> averages_, optimizer_;
  std::vector<std::string> arenas_ = {"theta", "target", "averaged"};  // and those
};

}  // namespace consistency
