// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/population/distance_kernel.hpp>
#include <consistency/population/distances.hpp>

namespace consistency {

/// The squared maximum mean discrepancy of populations x and y, (g, m, d), pairs of a sample with itself
/// counted (Gretton et al. 2012, Eq. 5): mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y), which is the mean of
/// what this gives for each sample, (g, m, 1). Distances are `rate` (g, m, 1) times max(|a − b|, 10⁻⁸).
auto squared_mmd(Value auto const& x, Value auto const& y, Value auto const& rate,
                 DistanceKernel auto const& kernel) {
  constexpr auto least = 1e-8;  // ε
  auto const k = [&](Value auto const& a, Value auto const& b) {
    return evaluated(kernel(evaluated(rate * distances(a, b, least))));  // (g, m, m)
  };
  auto const m = x.shape()[1];
  auto const sums = sum_to(k(x, x) + k(y, y) - 2.0 * k(x, y), {x.shape()[0], m, 1});
  return evaluated(sums * (1 / static_cast<double>(m)));
}

}  // namespace consistency
