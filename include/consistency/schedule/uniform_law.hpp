#pragma once

#include <algorithm>

#include <consistency/schedule/time_law.hpp>

namespace consistency {

/// n uniform on {1, …, N − 1} (Song et al. 2023, Algorithms 2 and 3).
struct UniformLaw {
  Index interval(KarrasGrid const&, Index points, Key key, Counter at) const {
    auto const n = static_cast<Index>(uniform_block<double>(key, at, 0)[0] * static_cast<double>(points - 1));
    return 1 + std::min(n, points - 2);
  }
};

}  // namespace consistency
