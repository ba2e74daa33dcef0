// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/io/dtype.hpp>

namespace consistency {

static_assert(std::endian::native == std::endian::little,
              "tensor files are little-endian and are not converted");

/// A named tensor inside a file, or on its way into one. The bytes are owned elsewhere and follow no
/// alignment: read them with copy_as.
struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::uint64_t> shape;      ///< outermost first; empty for a single number
  ByteView bytes;                        ///< little-endian
  std::vector<std::uint64_t> strides{};  ///< in elements; none: row-major, without gaps
};

namespace detail {

inline std::vector<std::uint64_t> file_shape(Shape const& shape) { return {shape.begin(), shape.end()}; }

inline std::string shape_text(std::vector<std::uint64_t> const& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + number_text(shape[i]);
  return text + ")";
}

}  // namespace detail

/// An entry for `values`, which must outlive it.
template <std::ranges::contiguous_range Range>
  requires std::ranges::borrowed_range<Range> && TensorElement<std::ranges::range_value_t<Range>>
TensorEntry tensor_entry(std::string name, std::vector<std::uint64_t> shape, Range&& values) {
  auto const view = std::span{std::ranges::data(values), std::ranges::size(values)};
  return {std::move(name), dtype_of<std::ranges::range_value_t<Range>>(), std::move(shape),
          std::as_bytes(view)};
}

/// The elements of an entry. Throws mismatch_error where its type is not T's, and shape_error where its bytes
/// are not those of its shape.
template <TensorElement T>
std::vector<T> copy_as(TensorEntry const& entry) {
  constexpr auto wanted = dtype_of<T>();
  if (entry.dtype != wanted)
    fail<mismatch_error>("copy_as", "element type of tensor '" + printable(entry.name) + "'",
                         std::string{facts(entry.dtype).name}, std::string{facts(wanted).name});
  if (auto const size = checked_product(entry.shape, sizeof(T));
      !size || *size != entry.bytes.size() || !entry.strides.empty())
    fail<shape_error>("copy_as", "tensor '" + printable(entry.name) + "'",
                      number_text(entry.bytes.size()) + " bytes",
                      size ? number_text(*size) + " bytes for its shape " + detail::shape_text(entry.shape)
                           : "a shape whose size fits 64 bits");
  std::vector<T> values(entry.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), entry.bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace consistency
