// SPDX-License-Identifier: MIT
#pragma once

// Fields of a recipe as text that reads back to the last bit.

#include <algorithm>
#include <charconv>
#include <concepts>
#include <string>
#include <system_error>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace run {

using consistency::Index;

inline std::string to_text(std::string const& value) { return value; }
template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
std::string to_text(Number value) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}
inline std::string to_text(std::vector<Index> const& values) {
  std::string text;
  for (auto const value : values) text += (text.empty() ? "" : ",") + to_text(value);
  return text;
}

inline bool from_text(std::string const& text, std::string& value) {
  value = text;
  return !consistency::detail::has_control_bytes(text);  // they would reach a terminal
}
template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
bool from_text(std::string const& text, Number& value) {
  auto const* const end = text.data() + text.size();
  auto const [stop, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc{} && stop == end;
}
inline bool from_text(std::string const& text, std::vector<Index>& values) {
  values.clear();
  for (std::size_t from = 0; from < text.size();) {
    auto const comma = std::min(text.find(',', from), text.size());
    if (!from_text(text.substr(from, comma - from), values.emplace_back())) return false;
    from = comma + 1;
  }
  return true;
}

}  // namespace run
