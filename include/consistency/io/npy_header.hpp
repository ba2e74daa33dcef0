// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency::detail {

/// What stands before the numbers of a .npy file (NumPy's format, versions 1 to 3).
struct NpyHead {
  std::string type;  ///< '<f8', '<f4', '<i8' or '|u1'
  Shape shape;
  std::size_t size;  ///< of the head, in bytes

  std::size_t number_size() const { return type == "|u1" ? 1 : type == "<f4" ? 4 : 8; }

  /// Throws format_error for another head, type, order or more than four axes.
  static NpyHead of(ByteView file, std::string const& name) {
    auto const fail_head = [&](char const* what, std::string found, std::string expected) {
      fail<format_error>(name, std::string{"head of the array: "} + what, std::move(found),
                         std::move(expected),
                         "Save it with np.savez from arrays of float64, float32, int64 or uint8.");
    };
    auto const text = bytes_text(file);
    if (!text.starts_with("\x93NUMPY") || file.size() < 12)
      fail_head("first bytes", "others", "\\x93NUMPY and a version");
    auto const wide = std::to_integer<int>(file[6]) > 1;
    auto const begin = std::size_t{wide ? 12U : 10U};
    auto const length = wide ? std::uint64_t{load_little<std::uint32_t>(file.subspan(8))}
                             : std::uint64_t{load_little<std::uint16_t>(file.subspan(8))};
    if (length > file.size() - begin) fail_head("length", number_text(length), "no more than the file holds");
    auto const head = text.substr(begin, static_cast<std::size_t>(length));
    auto const after = [&](std::string_view key) {
      auto const at = head.find(key);
      if (at == std::string_view::npos) fail_head("keys", printable(head), std::string{key});
      return head.substr(std::min(head.size(), head.find_first_not_of(" :", at + key.size())));
    };
    NpyHead found{{}, {}, begin + static_cast<std::size_t>(length)};
    auto const type = after("'descr'");
    for (auto const* const known : {"<f8", "<f4", "<i8", "|u1"})
      if (type.starts_with("'" + std::string{known} + "'")) found.type = known;
    if (found.type.empty())
      fail_head("type", printable(type.substr(0, type.find(','))), "'<f8', '<f4', '<i8' or '|u1'");
    if (!after("'fortran_order'").starts_with("False")) fail_head("order", "Fortran's", "C's, row by row");
    auto axes = after("'shape'");
    auto const end = axes.find(')');
    if (!axes.starts_with("(") || end == std::string_view::npos)
      fail_head("shape", printable(axes.substr(0, 40)), "numbers in brackets");
    axes = axes.substr(1, end - 1);
    while (!axes.empty()) {
      Index extent = 0;
      auto const [rest, error] = std::from_chars(axes.data(), axes.data() + axes.size(), extent);
      if (error != std::errc{} || extent < 0 || found.shape.rank() == Shape::max_rank)
        fail_head("shape", printable(axes), "at most four extents, 0 or more");
      found.shape.push_back(extent);
      axes = axes.substr(static_cast<std::size_t>(rest - axes.data()));
      axes = axes.substr(std::min(axes.size(), axes.find_first_not_of(", ")));
    }
    return found;
  }
};

/// The head of an array, of a multiple of 64 bytes.
inline Bytes npy_head(char const* type, Shape const& shape) {
  auto text = "{'descr': '" + std::string{type} + "', 'fortran_order': False, 'shape': (";
  for (auto const extent : shape) text.append(number_text(extent)).append(",");
  text.append("), }");
  while ((10 + text.size() + 1) % 64 != 0) text.append(" ");
  text.append("\n");
  Bytes head;
  auto const magic = text_bytes(std::string_view{"\x93NUMPY\1\0", 8});
  head.insert(head.end(), magic.begin(), magic.end());
  append_little(head, static_cast<std::uint16_t>(text.size()));
  auto const rest = text_bytes(text);
  head.insert(head.end(), rest.begin(), rest.end());
  return head;
}

}  // namespace consistency::detail
