// SPDX-License-Identifier: MIT
#pragma once

// Numbers for people to read.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include <consistency/core/shape.hpp>

namespace example {

using consistency::Index;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

inline std::string format(char const* pattern, auto... values) {
  char text[512];
  auto const size = std::snprintf(text, sizeof text, pattern, values...);
  return {text, static_cast<std::size_t>(std::clamp(size, 0, 511))};
}

/// "1,066,884".
inline std::string grouped(Index number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<Index>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

/// "8:05" or "1:02:03".
inline std::string clock_text(double seconds) {
  auto const s = std::llround(std::max(0.0, seconds));
  if (s >= 3600) return format("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return format("%lld:%02lld", s / 60, s % 60);
}

/// "2.8 µs", "35 ms" or "1.2 s".
inline std::string duration_text(double seconds) {
  auto const scaled = seconds < 1e-3 ? 1e6 * seconds : seconds < 1 ? 1e3 * seconds : seconds;
  auto const* const unit = seconds < 1e-3 ? "µs" : seconds < 1 ? "ms" : "s";
  return format(scaled < 10 ? "%.1f %s" : "%.0f %s", scaled, unit);
}

}  // namespace example
