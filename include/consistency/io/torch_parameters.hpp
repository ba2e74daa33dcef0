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

#include <consistency/io/float32.hpp>
#include <consistency/io/safetensors_read.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

namespace detail {

/// The shape that PyTorch gives a parameter: convolutions (o, c, k, k), linear maps (o, i), vectors alike.
inline std::vector<std::uint64_t> torch_shape(Shape const& ours) {
  auto shape = file_shape(ours);
  if (ours.rank() == 4) return {shape[3], shape[2], shape[0], shape[1]};
  if (ours.rank() == 2) std::swap(shape[0], shape[1]);
  return shape;
}

/// Whether a tensor is that parameter; a linear map may be a 1×1 convolution (o, i, 1, 1) in PyTorch.
inline bool fits_torch(TensorEntry const& entry, Shape const& ours) {
  auto shape = torch_shape(ours);
  if (ours.rank() == 2 && entry.shape.size() == 4) shape.insert(shape.end(), {1, 1});
  return entry.shape == shape;
}

/// With a convolution's window as one axis, our order of axes is PyTorch's reversed: (o, i, k²) to (k², i,
/// o). Where m maps are interleaved, our channel j of map n is PyTorch's m · j + n. Goes block of outputs by
/// block, so that writes are whole cache lines.
inline void copy_from_torch(std::vector<float> const& from, Shape const& ours, Index interleaved, float* to) {
  auto const out = ours.back();
  auto const in = ours.rank() < 2 ? 1 : ours[ours.rank() - 2];
  auto const window = ours.rank() == 4 ? ours[0] * ours[1] : 1;
  auto const channels = out / interleaved;
  constexpr Index width = 16;
  std::array<float const*, width> rows;
  for (Index first = 0; first < out; first += width) {
    auto const count = std::min(width, out - first);
    for (Index o = 0; o < count; ++o) {
      auto const theirs = (first + o) % channels * interleaved + (first + o) / channels;
      rows[static_cast<std::size_t>(o)] = from.data() + theirs * in * window;
    }
    for (Index i = 0; i < in; ++i)
      for (Index k = 0; k < window; ++k)
        for (Index o = 0; o < count; ++o)
          to[(k * in + i) * out + first + o] = rows[static_cast<std::size_t>(o)][i * window + k];
  }
}

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
                         "the parameters of this network in PyTorch's layout, F32, F16, BF16 or F64",
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

/// "model." where the file has the table's names behind it (a network inside a module of that name), or "".
inline std::string_view torch_prefix(SafetensorsFile const& file, ParameterTable const& table) {
  constexpr auto prefix = std::string_view{"model."};
  auto const has = [&](std::string_view before) {
    return std::any_of(table.entries().begin(), table.entries().end(), [&](auto const& parameter) {
      return file.find(std::string{before} + parameter.name) != nullptr;
    });
  };
  return !has("") && has(prefix) ? prefix : std::string_view{};
}

}  // namespace detail

/// The parameters of `table` from a safetensors file with PyTorch's names and layouts, bare or behind
/// "model.". F16 and BF16 are converted exactly, F64 is rounded; a linear map may be a 1×1 convolution; maps
/// that the table calls interleaved, such as EDM's q, k and v, are put in our order. The table's foreign
/// tensors may be there, and those of which ignored(name) holds. Throws io_error, format_error, numeric_error
/// (a number that is not finite, or beyond float32) or one mismatch_error with the names that are missing, of
/// another shape or type, unexpected, or constants of another network.
template <class Ignored>
Parameters<Tensor<float>> read_torch_parameters(std::filesystem::path const& path,
                                                ParameterTable const& table, Ignored const& ignored) {
  using Mismatches = detail::TorchMismatches;
  auto const file = read_safetensors(path);
  auto const name = path.string();
  auto const prefix = detail::torch_prefix(file, table);
  auto const type_of = [](TensorEntry const& entry) { return " is " + std::string{facts(entry.dtype).name}; };
  Mismatches mismatches;
  for (auto const& parameter : table.entries()) {
    auto const* const entry = file.find(std::string{prefix} + parameter.name);
    if (entry == nullptr) {
      mismatches.add(Mismatches::missing, parameter.name);
      continue;
    }
    if (!detail::fits_torch(*entry, parameter.shape))
      mismatches.add(Mismatches::misshapen, parameter.name + " is " + detail::shape_text(entry->shape) +
                                                ", not " +
                                                detail::shape_text(detail::torch_shape(parameter.shape)));
    if (!converts_to_float32(entry->dtype))
      mismatches.add(Mismatches::mistyped, parameter.name + type_of(*entry) + ", not F32, F16, BF16 or F64");
  }
  std::vector<std::string> foreign;
  for (auto const& tensor : table.foreign()) {
    foreign.push_back(std::string{prefix} + tensor.name);
    auto const* const entry = file.find(foreign.back());
    if (entry == nullptr || !tensor.value) continue;
    if (!converts_to_float32(entry->dtype)) {
      mismatches.add(Mismatches::mistyped, tensor.name + type_of(*entry) + ", not F32, F16, BF16 or F64");
      continue;
    }
    auto const values = float32_values(name, *entry);
    auto const other =
        std::find_if(values.begin(), values.end(), [&](double value) { return value != *tensor.value; });
    if (values.empty() || other != values.end())
      mismatches.add(Mismatches::different, tensor.name + " has " +
                                                (values.empty() ? "no number" : number_text(*other)) +
                                                ", not " + number_text(*tensor.value));
  }
  std::sort(foreign.begin(), foreign.end());
  for (auto const& entry : file.entries()) {
    auto const known = std::string_view{entry.name}.starts_with(prefix) &&
                       table.find(std::string_view{entry.name}.substr(prefix.size()));
    if (!known && !std::binary_search(foreign.begin(), foreign.end(), entry.name) && !ignored(entry.name))
      mismatches.add(Mismatches::unexpected, printable(entry.name));
  }
  mismatches.check(name);

  auto theta = Parameters<Tensor<float>>{table};
  auto* const flat = theta.flat().mutable_data();
  for (auto const& parameter : table.entries())
    detail::copy_from_torch(float32_values(name, *file.find(std::string{prefix} + parameter.name)),
                            parameter.shape, parameter.interleaved, flat + parameter.offset);
  return theta;
}

/// The file must hold these parameters and nothing else.
inline Parameters<Tensor<float>> read_torch_parameters(std::filesystem::path const& path,
                                                       ParameterTable const& table) {
  return read_torch_parameters(path, table, [](std::string_view) { return false; });
}

}  // namespace consistency
