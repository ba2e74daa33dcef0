// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

// The one place that knows the version: CMake and pkg-config read these three lines.
#define CONSISTENCY_VERSION_MAJOR 0
#define CONSISTENCY_VERSION_MINOR 1
#define CONSISTENCY_VERSION_PATCH 0

#define CONSISTENCY_DETAIL_QUOTE(text) #text
#define CONSISTENCY_DETAIL_DOTTED(a, b, c) \
  CONSISTENCY_DETAIL_QUOTE(a) "." CONSISTENCY_DETAIL_QUOTE(b) "." CONSISTENCY_DETAIL_QUOTE(c)

namespace consistency {

/// "major.minor.patch", as in https://semver.org.
inline constexpr std::string_view version = CONSISTENCY_DETAIL_DOTTED(
    CONSISTENCY_VERSION_MAJOR, CONSISTENCY_VERSION_MINOR, CONSISTENCY_VERSION_PATCH);

}  // namespace consistency

#undef CONSISTENCY_DETAIL_DOTTED
#undef CONSISTENCY_DETAIL_QUOTE
