// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace example {

/// Text as HTML shows it.
inline std::string escaped(std::string_view text) {
  std::string html;
  for (char const c : text) {
    if (c == '&')
      html += "&amp;";
    else if (c == '<')
      html += "&lt;";
    else if (c == '>')
      html += "&gt;";
    else if (c == '"')
      html += "&quot;";
    else
      html += c;
  }
  return html;
}

}  // namespace example
