// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace consistency {

/// Whether a name matches a pattern, in which * stands for any text.
constexpr bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0;
  auto star = std::string_view::npos;  // the last *, and where its text began
  std::size_t begin = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      begin = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++begin;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace consistency
