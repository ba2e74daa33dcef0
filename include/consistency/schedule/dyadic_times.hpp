// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// Spans of 1, 1/2, …, 2/N of [ε, T] that begin at multiples of their length from T down, with q in their
/// middle; with probability `diagonal` t = r on the grid of N (Frans et al. 2024).
struct DyadicTimes {
  Index N = 128;  ///< a power of 2
  double diagonal = 0.875;

  void check() const {
    require_setting(N >= 2 && N <= Index{1} << 16U && std::has_single_bit(static_cast<std::uint64_t>(N)),
                    "DyadicTimes", "N", static_cast<double>(N), "a power of 2, from 2 to 65536");
    require_setting(diagonal >= 0 && diagonal <= 1, "DyadicTimes", "diagonal", diagonal, "from 0 to 1");
  }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto const [epsilon, T] = process.range();
    auto const u = uniform_block<double>(key, at, 0);
    auto const below = [](double unit, Index count) {
      return std::min(count - 1, static_cast<Index>(unit * static_cast<double>(count)));
    };
    auto const on_diagonal = u[0] < diagonal;
    auto const sizes = static_cast<Index>(std::bit_width(static_cast<std::uint64_t>(N)) - 1);
    auto const spans = on_diagonal ? N : Index{1} << static_cast<std::uint64_t>(below(u[1], sizes));  // 1 / d
    auto const i = static_cast<double>(below(u[2], spans));
    auto const time = [&, e = epsilon, l = T](double j) {
      return l - (l - e) * j / static_cast<double>(spans);
    };
    if (on_diagonal) return {time(i), time(i), time(i)};
    return {time(i), time(i + 0.5), std::max(epsilon, time(i + 1))};
  }
};
static_assert(TimeSpans<DyadicTimes>);

}  // namespace consistency
