// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <consistency/evaluation/pairs.hpp>

namespace consistency {

namespace detail {

/// Σ |x_i − y_j| over all pairs, or over j > i where `within` one set. Summed row by row: the same bits for
/// any number of threads.
template <class S>
double sum_of_distances(Tensor<S> const& x, SampleSet const& xs, Tensor<S> const& y, SampleSet const& ys,
                        bool within) {
  auto const turned = columns(y, ys);
  std::vector<double> rows(static_cast<std::size_t>(xs.count));
  for_each_row(xs, [&](Index i) {
    double sum = 0;
    for_each_square(x, i, turned, within ? i + 1 : 0, [&](Index, Index n, double* squares) {
      for (Index m = 0; m < n; ++m) squares[m] = std::sqrt(squares[m]);
      for (Index m = 0; m < n; ++m) sum += squares[m];
    });
    rows[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (auto const row : rows) sum += row;
  return sum;
}

}  // namespace detail

/// 2 E|X − Y| − E|X − X′| − E|Y − Y′|, estimated without bias, unless told, from samples (n, …) and (m, …)
/// (Székely & Rizzo 2013); 0 for equal distributions, where an estimate may fall below 0. Throws
/// dataset_error for fewer than two samples or a number that is not finite, shape_error for samples of
/// different size, numeric_error where the distance is not finite.
template <class S>
double energy_distance(Tensor<S> const& x, Tensor<S> const& y, Estimator estimator = Estimator::unbiased) {
  auto const xs = SampleSet::of(x, "energy_distance"), ys = SampleSet::of(y, "energy_distance");
  require_same_dimensions(xs, ys, "energy_distance");
  auto const n = static_cast<double>(xs.count), m = static_cast<double>(ys.count);
  auto const left_out = estimator == Estimator::unbiased ? 1.0 : 0.0;
  return require_finite(2 * detail::sum_of_distances(x, xs, y, ys, false) / (n * m) -
                            2 * detail::sum_of_distances(x, xs, x, xs, true) / (n * (n - left_out)) -
                            2 * detail::sum_of_distances(y, ys, y, ys, true) / (m * (m - left_out)),
                        "energy_distance");
}

}  // namespace consistency
