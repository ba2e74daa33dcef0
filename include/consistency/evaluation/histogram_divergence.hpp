// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

/// `cells` × `cells` squares over [low, high]², and one cell more for what lies outside.
struct HistogramGrid {
  double low = -1.25, high = 1.25;
  Index cells = 20;  ///< along either side, 1 to 4096

  void check() const {
    if (!(low < high) || !std::isfinite(high - low))
      fail<config_error>("HistogramGrid", "range", number_text(low) + " to " + number_text(high),
                         "low < high");
    if (cells < 1 || cells > 4096)
      fail<config_error>("HistogramGrid", "cells", number_text(cells), "1 to 4096");
  }
  Index count() const { return cells * cells + 1; }
  Index cell(double x, double y) const {
    if (!(x >= low && x < high && y >= low && y < high)) return cells * cells;
    auto const along = [&](double at) {
      return std::min(cells - 1, static_cast<Index>((at - low) / (high - low) * static_cast<double>(cells)));
    };
    return along(y) * cells + along(x);
  }
};

/// KL(p ‖ q) = Σ p ln(p / q) over the cells of a grid, in nats: p are the shares of points of data (n, 2), q
/// those of samples (m, 2) with half a point more in every cell, so that an empty one is not infinitely bad.
/// Throws dataset_error for fewer than two points or a number that is not finite, shape_error for points that
/// are not of a plane, config_error for a grid that is none.
template <class S>
double histogram_divergence(Tensor<S> const& data, Tensor<S> const& samples, HistogramGrid const& grid = {}) {
  grid.check();
  auto const shares = [&](Tensor<S> const& points, double more) {
    auto const set = SampleSet::of(points, "histogram_divergence");
    if (set.dimensions != 2)
      fail<shape_error>("histogram_divergence", "points", points.shape().text(), "(n, 2)");
    std::vector<double> share(static_cast<std::size_t>(grid.count()), more);
    for (Index i = 0; i < set.count; ++i)
      ++share[static_cast<std::size_t>(
          grid.cell(static_cast<double>(points[2 * i]), static_cast<double>(points[2 * i + 1])))];
    auto const total = static_cast<double>(set.count) + more * static_cast<double>(grid.count());
    for (auto& one : share) one /= total;
    return share;
  };
  auto const p = shares(data, 0), q = shares(samples, 0.5);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

}  // namespace consistency
