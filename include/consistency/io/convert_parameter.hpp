// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <consistency/core/parallel.hpp>
#include <consistency/io/float32.hpp>
#include <consistency/io/parameter_source.hpp>
#include <consistency/io/tensor_entry.hpp>

namespace consistency::detail {

/// Whether numbers of this type become float32.
constexpr bool converts(DType dtype) { return converts_to_float32(dtype) || dtype == DType::i64; }

/// Of one of the parts that make up a parameter.
inline Shape part_shape(Shape const& ours, ParameterSource const& source) {
  return ours.with_channels(ours.back() / static_cast<Index>(source.names.size()));
}

/// The shape that a file gives a part of a parameter.
inline std::vector<std::uint64_t> shape_in_file(Shape const& ours, ParameterSource const& source) {
  auto shape = file_shape(ours);
  auto const torch = source.layout == Layout::torch;
  if (torch && source.axes == TorchAxes::line) return {shape[3], shape[2], shape[1]};
  if (torch && source.axes == TorchAxes::transposed_line) return {shape[1], shape[2] / 2, 4};
  if (torch && ours.rank() == 4) return {shape[3], shape[2], shape[0], shape[1]};
  if (torch && ours.rank() == 2) std::swap(shape[0], shape[1]);
  if (source.pixelwise) shape.insert(torch ? shape.end() : shape.begin(), 2, 1);
  return shape;
}

/// Whether a tensor is that parameter; a linear map may be a convolution of windows of one pixel, (o, i, 1,
/// 1), (o, i, 1) or (1, 1, i, o).
inline bool fits(TensorEntry const& entry, Shape const& ours, ParameterSource source) {
  source.pixelwise = false;
  auto shape = shape_in_file(ours, source);
  if (ours.rank() == 2)
    for (auto axes = shape.size(); axes < entry.shape.size() && axes < 4; ++axes)
      shape.insert(source.layout == Layout::torch ? shape.end() : shape.begin(), 1);
  return entry.shape == shape;
}

/// Calls use(number type, conversion) for the type of an entry that converts.
void with_conversion(DType dtype, auto const& use) {
  switch (dtype) {
    case DType::f16:
      return use(std::uint16_t{}, from_float16);
    case DType::bf16:
      return use(std::uint16_t{}, from_bfloat16);
    case DType::f64:
      return use(double{}, [](double v) { return static_cast<float>(v); });
    case DType::i64:
      return use(std::int64_t{}, [](std::int64_t v) {
        auto const rounded = static_cast<float>(v);
        auto const exact = std::abs(rounded) < 0x1p62F && static_cast<std::int64_t>(rounded) == v;
        return exact ? rounded : std::numeric_limits<float>::quiet_NaN();
      });
    default:
      return use(float{}, [](float v) { return v; });
  }
}

template <class Number>
Number number_at(TensorEntry const& entry, std::size_t i) {
  Number number;
  std::memcpy(&number, entry.bytes.data() + i * sizeof(Number), sizeof(Number));
  return number;
}

/// A number of an entry of constants that is not `value`, as text; nothing where all are.
inline std::optional<std::string> other_number(TensorEntry const& entry, double value) {
  std::optional<std::string> other = "no number";
  with_conversion(entry.dtype, [&]<class Number>(Number, auto const& convert) {
    auto const count = entry.bytes.size() / sizeof(Number);
    if (count > 0) other.reset();
    for (std::size_t i = 0; i < count && !other; ++i)
      if (auto const found = convert(number_at<Number>(entry, i)); !(found == value))
        other = number_text(found);
  });
  return other;
}

/// Says which number of an entry cannot be one of float32.
[[noreturn]] inline void fail_number(std::string const& file, TensorEntry const& entry, std::size_t at,
                                     std::string found) {
  fail<numeric_error>(
      file, "tensor '" + printable(entry.name) + "'", std::move(found) + " at value " + number_text(at),
      "a finite number of float32, whose magnitudes end at " +
          number_text(std::numeric_limits<float>::max()) + "; whole ones are exact up to 2^24",
      "Take another copy of the file, or scale the weights before they are saved.");
}

/// Writes part `part` of a parameter (…, i, o), whose outputs lie together in `to`. In PyTorch's layout with
/// the window as one axis the order of axes is reversed, (o, i, h w) to (h w, i, o); three axes stay. Where m
/// maps are interleaved, channel j of our map n is channel m · j + n of the file. Weights along one axis
/// stand as TorchAxes says. Goes block of outputs by block, so that writes are whole cache lines.
inline void convert_parameter(std::string const& file, TensorEntry const& entry, Shape const& ours,
                              ParameterSource const& source, Index part, float* to) {
  auto const parts = static_cast<Index>(source.names.size());
  auto const row = ours.back(), out = row / parts, first = part * out;
  auto const in = ours.rank() < 2 ? 1 : ours[ours.rank() - 2];
  auto const window = ours.rank() == 4 ? ours[0] * ours[1] : ours.rank() == 3 ? ours[0] : 1;
  auto const across = ours.rank() == 4 ? ours[1] : 1;
  // Steps of the file along our axes, in its numbers.
  auto strides = entry.strides;
  if (strides.empty()) {
    strides.resize(entry.shape.size());
    std::uint64_t step = 1;
    for (auto axis = strides.size(); axis-- > 0; step *= entry.shape[axis]) strides[axis] = step;
  }
  auto const rank = ours.rank();
  auto const stride = [&](std::size_t torch,
                          std::size_t here) {  // of axes that may have others of extent 1 beside them
    return static_cast<Index>(strides[source.layout == Layout::torch ? torch : strides.size() - rank + here]);
  };
  auto const torch = source.layout == Layout::torch;
  auto const along_line = torch && source.axes == TorchAxes::line;
  auto const transposed = torch && source.axes == TorchAxes::transposed_line;
  auto const as_ours = rank == 3 && !transposed;  // of no layer: its axes have one order
  auto const of_out = rank == 1    ? stride(0, 0)
                      : transposed ? stride(1, 2)
                                   : stride(as_ours ? 2 : 0, rank - 1),
             of_in = rank == 1 ? 0 : stride(transposed ? 0 : 1, rank - 2);
  auto const of_row = transposed   ? -2 * stride(2, 0)
                      : along_line ? 0
                      : rank == 4  ? stride(2, 0)
                      : as_ours    ? stride(0, 0)
                                   : 0,
             of_column = rank == 4 ? stride(along_line ? 2 : 3, 1) : 0;
  auto const channels = transposed ? out / 2 : out / source.interleaved;
  auto const theirs = [&](Index o) {
    if (transposed) return o % channels * of_out + (2 + o / channels) * stride(2, 0);
    return (o % channels * source.interleaved + o / channels) * of_out;
  };

  constexpr Index width = 16;
  auto const blocks = (out + width - 1) / width;
  std::atomic<bool> finite = true;
  with_conversion(entry.dtype, [&]<class Number>(Number, auto const& convert) {
    auto const* const bytes = entry.bytes.data();
    auto const load = [&](Index at) {
      Number number;
      std::memcpy(&number, bytes + at * static_cast<Index>(sizeof(Number)), sizeof(Number));
      return convert(number);
    };
    auto const block = [&](Index b) {
      auto const begin = b * width, count = std::min(width, out - begin);
      std::array<Index, width> from{};
      for (Index o = 0; o < count; ++o) from[static_cast<std::size_t>(o)] = theirs(begin + o);
      float magnitude = 0;  // 0 · x is NaN where x is not finite
      for (Index i = 0; i < in; ++i)
        for (Index k = 0; k < window; ++k) {
          auto const at = i * of_in + k / across * of_row + k % across * of_column;
          auto* const line = to + (k * in + i) * row + first + begin;
          for (Index o = 0; o < count; ++o) {
            auto const value = load(from[static_cast<std::size_t>(o)] + at);
            line[o] = value;
            magnitude += 0 * value;
          }
        }
      if (!(magnitude == 0)) finite = false;
    };
    constexpr Index worth_sharing = Index{1} << 16U;
    if (ours.count() < worth_sharing)
      for (Index b = 0; b < blocks; ++b) block(b);
    else
      parallel_for(blocks, block);
    if (!finite)
      for (std::size_t i = 0; i < entry.bytes.size() / sizeof(Number); ++i)
        if (auto const number = number_at<Number>(entry, i); !std::isfinite(convert(number))) {
          if constexpr (std::is_floating_point_v<Number> || sizeof(Number) == 8)
            fail_number(file, entry, i, number_text(number));
          else
            fail_number(file, entry, i, number_text(convert(number)));
        }
  });
}

/// The numbers of part `part` as the file has them: the inverse of convert_parameter.
inline std::vector<float> numbers_in_file(float const* from, Shape const& ours, ParameterSource const& source,
                                          Index part) {
  auto const parts = static_cast<Index>(source.names.size());
  auto const row = ours.back(), out = row / parts, first = part * out;
  auto const in = ours.rank() < 2 ? 1 : ours[ours.rank() - 2];
  auto const window = ours.rank() == 4 ? ours[0] * ours[1] : ours.rank() == 3 ? ours[0] : 1;
  auto const torch = source.layout == Layout::torch;
  auto const transposed = torch && source.axes == TorchAxes::transposed_line;
  auto const channels = transposed ? out / 2 : out / source.interleaved;
  auto const reversed = torch && ours.rank() != 3;
  std::vector<float> numbers(static_cast<std::size_t>(window * in * out));
  for (Index k = 0; k < window; ++k)
    for (Index i = 0; i < in; ++i)
      for (Index o = 0; o < out; ++o) {
        auto const theirs = o % channels * source.interleaved + o / channels;
        auto const at = transposed ? (i * channels + o % channels) * 4 + 2 - 2 * k + o / channels
                        : reversed ? (theirs * in + i) * window + k
                                   : (k * in + i) * out + theirs;
        numbers[static_cast<std::size_t>(at)] = from[(k * in + i) * row + first + o];
      }
  return numbers;
}

}  // namespace consistency::detail
