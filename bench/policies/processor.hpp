// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

namespace policies {

/// The name of this machine's processor.
inline std::string processor() {
  auto file = std::ifstream{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

/// Seconds that all threads of this process have computed.
inline double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

}  // namespace policies
