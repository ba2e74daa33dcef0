// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace example {

/// What has compiled this program: name and version.
inline std::string compiler() {
#if defined(__clang__)
  return __VERSION__;
#else
  return std::string{"GCC "} + __VERSION__;
#endif
}

}  // namespace example
