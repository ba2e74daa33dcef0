// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/parallel.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency::detail {

/// How many samples are compared at a time, and how many rows a thread takes.
inline constexpr Index pair_block = 512, pair_rows = 16;

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

/// visit(j, n, sums): Σ_k term(x_ik, y_mk) for m = j … j + n − 1, for all of y from number `from` on. y (d,
/// m) is turned. In double: near neighbours are told apart, and memory does not grow with the pairs.
template <class S>
void for_each_sum(Tensor<S> const& x, Index i, Tensor<S> const& turned, Index from, auto const& term,
                  auto const& visit) {
  auto const d = turned.shape()[0], count = turned.shape()[1];
  double sums[pair_block];
  for (Index j = from; j < count; j += pair_block) {
    auto const n = std::min(pair_block, count - j);
    std::fill_n(sums, n, 0.0);
    for (Index k = 0; k < d; ++k) {
      auto const at = static_cast<double>(x[i * d + k]);
      auto const* const others = turned.data() + k * count + j;
      for (Index m = 0; m < n; ++m) sums[m] += term(at, static_cast<double>(others[m]));
    }
    visit(j, n, static_cast<double*>(sums));
  }
}

/// The same of |x_i − y_m|².
template <class S>
void for_each_square(Tensor<S> const& x, Index i, Tensor<S> const& turned, Index from, auto const& visit) {
  for_each_sum(
      x, i, turned, from, [](double a, double b) { return (a - b) * (a - b); }, visit);
}

/// Calls row(i) for every sample of a set, on all threads.
inline void for_each_row(SampleSet const& set, auto const& row) {
  parallel_ranges(set.count, pair_rows, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) row(i);
  });
}

}  // namespace consistency::detail
