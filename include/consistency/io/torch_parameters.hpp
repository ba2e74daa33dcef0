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

/// With a convolution's window as one axis, our order of axes is PyTorch's reversed: (o, i, k²) to (k², i,
/// o).
inline void copy_from_torch(TensorEntry const& entry, Shape const& ours, float* to) {
  auto const from = copy_as<float>(entry);
  auto const out = ours.back();
  auto const in = ours.rank() < 2 ? 1 : ours[ours.rank() - 2];
  auto const window = ours.rank() == 4 ? ours[0] * ours[1] : 1;
  std::size_t at = 0;
  for (Index o = 0; o < out; ++o)
    for (Index i = 0; i < in; ++i)
      for (Index k = 0; k < window; ++k) to[(k * in + i) * out + o] = from[at++];
}

/// Names in a file that do not fit a table, by what is wrong with them.
class TorchMismatches {
 public:
  enum Kind : std::uint8_t { missing, misshapen, mistyped, unexpected };

  void add(Kind kind, std::string line) { lines_[kind].push_back(std::move(line)); }

  /// Throws mismatch_error with every name unless there are none.
  void check(std::string const& file) const {
    constexpr auto titles = std::array{"missing", "of another shape", "of another type", "unexpected"};
    std::string text;
    for (std::size_t kind = 0; kind < titles.size(); ++kind)
      for (std::size_t i = 0; i < lines_[kind].size(); ++i) {
        if (i == 0)
          text += (text.empty() ? "" : "; ") + number_text(lines_[kind].size()) + " " + titles[kind] + ": ";
        text += (i == 0 ? "" : ", ") + lines_[kind][i];
      }
    if (text.empty()) return;
    throw mismatch_error{{.where = file,
                          .what = "tensors of another network",
                          .found = std::move(text),
                          .expected = "the parameters of this network in PyTorch's layout, float32",
                          .advice = "Tensors that are not needed may be ignored by name."}};
  }

 private:
  std::array<std::vector<std::string>, 4> lines_;
};

}  // namespace detail

/// The parameters of `table` from a safetensors file with PyTorch's names and layouts. ignored(name) says
/// which tensors the file may hold beside them. Throws io_error, format_error, or one mismatch_error that
/// lists every tensor that is missing, of another shape or type, or unexpected.
template <class Ignored>
Parameters<Tensor<float>> read_torch_parameters(std::filesystem::path const& path,
                                                ParameterTable const& table, Ignored const& ignored) {
  using Mismatches = detail::TorchMismatches;
  auto const file = read_safetensors(path);
  Mismatches mismatches;
  auto theta = Parameters<Tensor<float>>{table};
  std::vector<std::string_view> known;
  for (auto const& parameter : table.entries()) {
    known.push_back(parameter.name);
    auto const* const entry = file.find(parameter.name);
    if (entry == nullptr) {
      mismatches.add(Mismatches::missing, parameter.name);
      continue;
    }
    auto const shape = detail::torch_shape(parameter.shape);
    auto const fits = entry->shape == shape;
    auto const is_float = entry->dtype == DType::f32;
    if (!fits)
      mismatches.add(Mismatches::misshapen, parameter.name + " is " + detail::shape_text(entry->shape) +
                                                ", not " + detail::shape_text(shape));
    if (!is_float)
      mismatches.add(Mismatches::mistyped,
                     parameter.name + " is " + std::string{facts(entry->dtype).name} + ", not F32");
    if (fits && is_float)
      detail::copy_from_torch(*entry, parameter.shape, theta.flat().written_data() + parameter.offset);
  }
  std::sort(known.begin(), known.end());
  for (auto const& entry : file.entries())
    if (!std::binary_search(known.begin(), known.end(), entry.name) && !ignored(entry.name))
      mismatches.add(Mismatches::unexpected, printable(entry.name));
  mismatches.check(path.string());
  return theta;
}

/// The file must hold these parameters and nothing else.
inline Parameters<Tensor<float>> read_torch_parameters(std::filesystem::path const& path,
                                                       ParameterTable const& table) {
  return read_torch_parameters(path, table, [](std::string_view) { return false; });
}

}  // namespace consistency
