// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/glob.hpp>
#include <consistency/io/convert_parameter.hpp>
#include <consistency/io/parameter_source.hpp>
#include <consistency/io/safetensors_write.hpp>
#include <consistency/io/tensor_file.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

namespace detail {

/// Names in a file that do not fit a table, by what is wrong with them.
class TorchMismatches {
 public:
  enum Kind : std::uint8_t { missing, misshapen, mistyped, different, unexpected };

  void add(Kind kind, std::string line) {
    auto& lines = lines_[kind];
    if (lines.count++ < shown) lines.text += (lines.text.empty() ? "" : ", ") + std::move(line);
  }

  /// Throws mismatch_error, with the first names of each kind, unless there are none.
  void check(std::string const& file) const {
    constexpr auto titles =
        std::array{"missing", "of another shape", "of another type", "of another network", "unexpected"};
    std::string text;
    for (std::size_t kind = 0; kind < titles.size(); ++kind) {
      auto const& [count, names] = lines_[kind];
      if (count == 0) continue;
      text += (text.empty() ? "" : "; ") + number_text(count) + " " + titles[kind] + ": " + names;
      if (count > shown) text += " and " + number_text(count - shown) + " more";
    }
    if (text.empty()) return;
    fail<mismatch_error>(file, "tensors of another network", std::move(text),
                         "the parameters of this network, F32, F16, BF16, F64 or I64",
                         "Tensors that are not needed may be ignored by name.");
  }

 private:
  static constexpr std::size_t shown = 20;
  struct Lines {
    std::size_t count = 0;
    std::string text;
  };
  std::array<Lines, 5> lines_;
};

/// "model." where the file has the names behind it (a network inside a module of that name), or "".
inline std::string torch_prefix(TensorFile const& file, NameMap const& names) {
  auto const has = [&](std::string const& before) {
    return std::any_of(names.begin(), names.end(), [&](ParameterSource const& source) {
      return file.find(before + source.names.front()) != nullptr;
    });
  };
  return !has("") && has("model.") ? "model." : "";
}

inline bool matches_any(std::vector<std::string> const& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](auto const& pattern) { return matches(pattern, name); });
}

}  // namespace detail

/// How a file of another program is read. Patterns have * for any text.
struct ReadSettings {
  NameMap names = {};                     ///< none: the table's own names
  std::vector<std::string> ignored = {};  ///< tensors of the file that need not be known
  std::vector<std::string> only = {};     ///< the parameters that are wanted; none: all of them
  std::vector<std::string> except = {};   ///< but for these
};

/// Overwrites parameters of θ with those of a safetensors or PyTorch file, bare or behind "model.". F16, BF16
/// and I64 are converted exactly, F64 is rounded; a linear map may be a 1×1 convolution; maps that are
/// interleaved, such as EDM's q, k and v, are put in our order. The table's foreign tensors may be there.
/// What is not wanted stays as it is in θ. Throws io_error, format_error, numeric_error (a number that is not
/// finite, beyond float32, or a whole number that it does not hold) or one mismatch_error with the names that
/// are missing, of another shape or type, unexpected, or constants of another network; but for a
/// numeric_error θ is then as before.
inline void read_torch_parameters_into(Parameters<Tensor<float>>& theta, std::filesystem::path const& path,
                                       ReadSettings const& settings = {}) {
  using Mismatches = detail::TorchMismatches;
  auto const& table = theta.table();
  auto const file = read_tensor_file(path);
  auto const name = path.string();
  auto const names = settings.names.empty() ? torch_names(table) : settings.names;
  if (names.size() != table.entries().size())
    fail<config_error>("read_torch_parameters", "names", number_text(names.size()),
                       number_text(table.entries().size()) + ", one source for each parameter");
  auto const prefix = detail::torch_prefix(file, names);
  auto const whole = settings.only.empty() && settings.except.empty();
  auto const wanted = [&](std::string const& parameter) {
    return (settings.only.empty() || detail::matches_any(settings.only, parameter)) &&
           !detail::matches_any(settings.except, parameter);
  };
  auto const type_of = [](TensorEntry const& entry) { return " is " + std::string{facts(entry.dtype).name}; };
  constexpr auto types = ", not F32, F16, BF16, F64 or I64";

  Mismatches mismatches;
  std::vector<std::string> known;
  std::size_t used = 0;
  for (std::size_t id = 0; id < names.size(); ++id) {
    auto const& parameter = table.entries()[id];
    for (auto const& own : names[id].names) known.push_back(prefix + own);
    if (!wanted(parameter.name)) continue;
    ++used;
    for (auto const& own : names[id].names) {
      auto const* const entry = file.find(prefix + own);
      if (entry == nullptr) {
        mismatches.add(Mismatches::missing, own);
        continue;
      }
      if (auto const shape = detail::part_shape(parameter.shape, names[id]);
          !detail::fits(*entry, shape, names[id]))
        mismatches.add(Mismatches::misshapen,
                       own + " is " + detail::shape_text(entry->shape) + ", not " +
                           detail::shape_text(detail::shape_in_file(shape, names[id])));
      if (!detail::converts(entry->dtype))
        mismatches.add(Mismatches::mistyped, own + type_of(*entry) + types);
    }
  }
  if (used == 0)
    fail<config_error>("read_torch_parameters", "only, except", "patterns that leave no parameter",
                       "patterns of parameters' names");
  for (auto const& tensor : table.foreign()) {
    known.push_back(prefix + tensor.name);
    auto const* const entry = file.find(known.back());
    if (entry == nullptr || !tensor.value) continue;
    if (!detail::converts(entry->dtype)) {
      mismatches.add(Mismatches::mistyped, tensor.name + type_of(*entry) + types);
    } else if (auto const other = detail::other_number(*entry, *tensor.value)) {
      mismatches.add(Mismatches::different,
                     tensor.name + " has " + *other + ", not " + number_text(*tensor.value));
    }
  }
  std::sort(known.begin(), known.end());
  if (whole)
    for (auto const& entry : file.entries())
      if (!std::binary_search(known.begin(), known.end(), entry.name) &&
          !detail::matches_any(settings.ignored, entry.name))
        mismatches.add(Mismatches::unexpected, printable(entry.name));
  mismatches.check(name);

  for (std::size_t id = 0; id < names.size(); ++id) {
    auto const& parameter = table.entries()[id];
    if (!wanted(parameter.name)) continue;
    auto* const to = theta.flat().mutable_data() + parameter.offset;
    auto const parts = static_cast<Index>(names[id].names.size());
    for (Index i = 0; i < parts; ++i) {
      auto const& own = names[id].names[static_cast<std::size_t>(i)];
      detail::convert_parameter(name, *file.find(prefix + own), parameter.shape, names[id], i, to);
    }
  }
}

/// The parameters of a table from such a file. Throws as read_torch_parameters_into does, and config_error
/// where only some are wanted.
inline Parameters<Tensor<float>> read_torch_parameters(std::filesystem::path const& path,
                                                       ParameterTable const& table,
                                                       ReadSettings const& settings = {}) {
  if (!settings.only.empty() || !settings.except.empty())
    fail<config_error>("read_torch_parameters", "only, except", "some parameters", "all parameters",
                       "Read some of them into others: read_torch_parameters_into(theta, path, settings).");
  auto theta = Parameters<Tensor<float>>{table};
  read_torch_parameters_into(theta, path, settings);
  return theta;
}

/// Writes θ as a safetensors file of another program, by default in PyTorch's layout under the table's own
/// names; read_torch_parameters with the same names gives the same bits. Throws config_error for names of
/// another table, numeric_error for a number that is not finite, or io_error.
inline void write_torch_parameters(std::filesystem::path const& path, Parameters<Tensor<float>> const& theta,
                                   NameMap names = {}) {
  auto const& table = theta.table();
  if (names.empty()) names = torch_names(table);
  if (names.size() != table.entries().size())
    fail<config_error>("write_torch_parameters", "names", number_text(names.size()),
                       number_text(table.entries().size()) + ", one source for each parameter");
  std::vector<std::vector<float>> numbers;
  std::vector<TensorEntry> entries;
  for (std::size_t id = 0; id < names.size(); ++id) {
    auto const& shape = table.entries()[id].shape;
    require_finite("write_torch_parameters", table.entries()[id].name, theta[id].values(),
                   "Nothing was written.");
    for (std::size_t part = 0; part < names[id].names.size(); ++part) {
      numbers.push_back(
          detail::numbers_in_file(theta[id].data(), shape, names[id], static_cast<Index>(part)));
      entries.push_back(tensor_entry(names[id].names[part],
                                     detail::shape_in_file(detail::part_shape(shape, names[id]), names[id]),
                                     numbers.back()));
    }
  }
  write_safetensors(path, entries, {{"format", "pt"}}, false);
}

}  // namespace consistency
