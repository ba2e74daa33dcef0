// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <consistency/core/parallel.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

namespace detail {

/// Samples (n, d) turned to (d, n): one sample is compared with neighbours that lie side by side.
template <class S>
Tensor<S> columns(Tensor<S> const& x, SampleSet const& set) {
  auto turned = Tensor<S>{{set.dimensions, set.count}};
  auto* const to = turned.mutable_data();
  parallel_ranges(set.count, 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      for (Index k = 0; k < set.dimensions; ++k) to[k * set.count + i] = x[i * set.dimensions + k];
  });
  return turned;
}

/// Σ |x_i − y_j| over all pairs, or over j > i where `within` one set. Summed row by row: the same bits for
/// any number of threads.
template <class S>
double sum_of_distances(Tensor<S> const& x, SampleSet const& xs, Tensor<S> const& y, SampleSet const& ys,
                        bool within) {
  constexpr Index block = 512;
  auto const turned = columns(y, ys);
  std::vector<double> rows(static_cast<std::size_t>(xs.count));
  parallel_ranges(xs.count, 16, [&](Index begin, Index end) {
    S squares[block];
    for (Index i = begin; i < end; ++i) {
      double sum = 0;
      for (Index j = within ? i + 1 : 0; j < ys.count; j += block) {
        auto const n = std::min(block, ys.count - j);
        std::fill_n(squares, n, S(0));
        for (Index k = 0; k < xs.dimensions; ++k) {
          auto const at = x[i * xs.dimensions + k];
          auto const* const others = turned.data() + k * ys.count + j;
          for (Index m = 0; m < n; ++m) squares[m] += (others[m] - at) * (others[m] - at);
        }
        for (Index m = 0; m < n; ++m) squares[m] = std::sqrt(squares[m]);
        for (Index m = 0; m < n; ++m) sum += static_cast<double>(squares[m]);
      }
      rows[static_cast<std::size_t>(i)] = sum;
    }
  });
  double sum = 0;
  for (auto const row : rows) sum += row;
  return sum;
}

}  // namespace detail

/// 2 E|X − Y| − E|X − X′| − E|Y − Y′|, estimated without bias from samples (n, …) and (m, …) (Székely & Rizzo
/// 2013); 0 for equal distributions, where an estimate may fall below 0. Throws dataset_error for fewer than
/// two samples or a number that is not finite, shape_error for samples of different size, numeric_error where
/// the distance is not finite.
template <class S>
double energy_distance(Tensor<S> const& x, Tensor<S> const& y) {
  auto const xs = SampleSet::of(x, "energy_distance"), ys = SampleSet::of(y, "energy_distance");
  require_same_dimensions(xs, ys, "energy_distance");
  auto const n = static_cast<double>(xs.count), m = static_cast<double>(ys.count);
  return require_finite(2 * detail::sum_of_distances(x, xs, y, ys, false) / (n * m) -
                            2 * detail::sum_of_distances(x, xs, x, xs, true) / (n * (n - 1)) -
                            2 * detail::sum_of_distances(y, ys, y, ys, true) / (m * (m - 1)),
                        "energy_distance");
}

}  // namespace consistency
