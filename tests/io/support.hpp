// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/core/bytes.hpp>
#include <consistency/io/file.hpp>

#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

namespace consistency::test {

inline Bytes bytes_of(std::string_view text) {
  auto const view = text_bytes(text);
  return {view.begin(), view.end()};
}
inline Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (auto const value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}
inline Bytes joined(Bytes first, ByteView second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace consistency::test
