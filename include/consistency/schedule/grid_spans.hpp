// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/check.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// Points of a Karras grid of N: t is any but the first, q lies `ahead` intervals before it, and r is any up
/// to q (Kim et al. 2023, Algorithm 1, whose number of intervals is random; Prasad et al. 2024, where it is
/// 1).
struct GridSpans {
  Index N = 18;
  Index ahead = 1;  ///< intervals from t to q; fewer where the grid ends

  void check(NoiseProcess auto const& process) const {
    auto const grid = grid_of(process);
    grid.check();
    grid.require_apart("GridSpans", N);
    require_setting(ahead >= 1, "GridSpans", "ahead", static_cast<double>(ahead), "1 or more");
  }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto const grid = grid_of(process);
    auto const u = uniform_block<double>(key, at, 0);
    auto const below = [](double unit, Index count) {
      return std::min(count - 1, static_cast<Index>(unit * static_cast<double>(count)));
    };
    auto const t = 2 + below(u[0], N - 1);
    auto const q = std::max<Index>(1, t - ahead);
    auto const r = 1 + below(u[1], q);
    return {grid(t, N), grid(q, N), grid(r, N)};
  }
};
static_assert(TimeSpans<GridSpans>);

}  // namespace consistency
