// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/schedule/time_distribution.hpp>

namespace consistency {

/// Uniform over the grid: n on {1, …, N − 1} (Song et al. 2023, Algorithms 2 and 3), or t = τ(u) with u
/// uniform on (0, 1) (Appendix B, Theorems 3 to 6).
struct UniformDistribution {
  Index interval(NoiseProcess auto const&, Index points, Key key, Counter at) const {
    auto const n = static_cast<Index>(uniform_block<double>(key, at, 0)[0] * static_cast<double>(points - 1));
    return 1 + std::min(n, points - 2);
  }
  double time(NoiseProcess auto const& process, Key key, Counter at) const {
    auto const [epsilon, T] = process.range();
    return std::clamp(grid_of(process).from_unit(uniform_block<double>(key, at, 0)[0]), epsilon, T);
  }
};

}  // namespace consistency
