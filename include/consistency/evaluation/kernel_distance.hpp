// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/evaluation/pairs.hpp>
#include <consistency/evaluation/subset.hpp>

namespace consistency {

/// (⟨x, y⟩ / d + 1)³, the kernel of KID (Bińkowski et al. 2018).
struct CubicKernel {
  double operator()(double product, double, double, Index dimensions) const {
    auto const base = product / static_cast<double>(dimensions) + 1;
    return base * base * base;
  }
};

/// exp(−|x − y|² / (2 σ²)), with σ = 10 that of CMMD on features of length 1 (Jayasumana et al. 2024).
struct GaussianKernel {
  double sigma = 10;
  double operator()(double product, double square_x, double square_y, Index) const {
    return std::exp(-(square_x + square_y - 2 * product) / (2 * sigma * sigma));
  }
};

namespace detail {

template <class S>
std::vector<double> squared_lengths(Tensor<S> const& x, SampleSet const& set) {
  std::vector<double> squares(static_cast<std::size_t>(set.count));
  for (Index i = 0; i < x.count(); ++i)
    squares[static_cast<std::size_t>(i / set.dimensions)] +=
        static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return squares;
}

/// Σ k(x_i, y_j) over pairs, or over j > i where `within` one set.
template <class S>
double sum_of_kernel(Tensor<S> const& x, SampleSet const& xs, Tensor<S> const& y, SampleSet const& ys,
                     auto const& kernel, bool within) {
  auto const turned = columns(y, ys);
  auto const x_squares = squared_lengths(x, xs), y_squares = squared_lengths(y, ys);
  std::vector<double> rows(static_cast<std::size_t>(xs.count));
  for_each_row(xs, [&](Index i) {
    double sum = 0;
    auto const product = [](double a, double b) { return a * b; };
    for_each_sum(x, i, turned, within ? i + 1 : 0, product, [&](Index j, Index n, double const* products) {
      for (Index m = 0; m < n; ++m)
        sum += kernel(products[m], x_squares[static_cast<std::size_t>(i)],
                      y_squares[static_cast<std::size_t>(j + m)], xs.dimensions);
    });
    rows[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (auto const row : rows) sum += row;
  return sum;
}

}  // namespace detail

/// The squared maximum mean discrepancy of x (n, d) and y (m, d) (Gretton et al. 2012, Eq. 3 and 5): mean
/// k(x, x′) + mean k(y, y′) − 2 mean k(x, y); 0 for equal distributions, where an unbiased estimate may fall
/// below 0. Throws as SampleSet::of, and shape_error for other sizes.
template <class S, class Kernel = CubicKernel>
double kernel_distance(Tensor<S> const& x, Tensor<S> const& y, Kernel const& kernel = {},
                       Estimator estimator = Estimator::unbiased) {
  auto const where = "kernel_distance";
  auto const xs = SampleSet::of(x, where), ys = SampleSet::of(y, where);
  require_same_dimensions(xs, ys, where);
  auto const within = [&](Tensor<S> const& z, SampleSet const& set) {
    auto const n = static_cast<double>(set.count);
    auto const twice = 2 * detail::sum_of_kernel(z, set, z, set, kernel, true);
    if (estimator == Estimator::unbiased) return twice / (n * (n - 1));
    double own = 0;
    for (auto const square : detail::squared_lengths(z, set))
      own += kernel(square, square, square, set.dimensions);
    return (twice + own) / (n * n);
  };
  auto const pairs = static_cast<double>(xs.count) * static_cast<double>(ys.count);
  return require_finite(
      within(x, xs) + within(y, ys) - 2 * detail::sum_of_kernel(x, xs, y, ys, kernel, false) / pairs, where);
}

struct SubsetSettings {
  Index subsets = 100, size = 1000;
  std::uint64_t seed = 0;
};

/// KID: kernel_distance by the cubic kernel, over random subsets of both sets. Throws as that does, and
/// config_error for no subset, or one larger than a set.
template <class S>
MeanAndDeviation kernel_distance_of_subsets(Tensor<S> const& x, Tensor<S> const& y,
                                            SubsetSettings const& settings = {}) {
  auto const where = "kernel_distance_of_subsets";
  auto const xs = SampleSet::of(x, where), ys = SampleSet::of(y, where);
  require_same_dimensions(xs, ys, where);
  auto const most = std::min(xs.count, ys.count);
  require_setting(settings.subsets >= 1, where, "subsets", static_cast<double>(settings.subsets),
                  "1 or more");
  if (settings.size < 2 || settings.size > most)
    fail<config_error>(where, "size", number_text(settings.size), "from 2 to " + number_text(most));
  double sum = 0, squares = 0;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(settings.subsets); ++i) {
    auto const value = kernel_distance(detail::subset(x, xs, settings.size, settings.seed, 2 * i),
                                       detail::subset(y, ys, settings.size, settings.seed, 2 * i + 1));
    sum += value, squares += value * value;
  }
  auto const n = static_cast<double>(settings.subsets);
  return {sum / n, std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)))};
}

}  // namespace consistency
