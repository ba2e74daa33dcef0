// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/evaluation/pairs.hpp>
#include <consistency/evaluation/subset.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

struct MindSettings {
  Index directions = 1000;
  std::uint64_t seed = 0;
};

/// MIND: 3 d times the mean over directions u of the squared 2-Wasserstein distance of x (n, d) and y (n, d)
/// along u, which is a mean of squared differences of sorted numbers. Directions (M, d) need no length. Its
/// ranking settles with a tenth of the samples that a Fréchet distance takes, and its time grows with n log
/// n. Throws as SampleSet::of, and shape_error for sets or directions of other sizes.
template <class S>
double mind_along(Tensor<S> const& directions, Tensor<S> const& x, Tensor<S> const& y) {
  auto const where = "mind";
  auto const xs = SampleSet::of(x, where), ys = SampleSet::of(y, where);
  require_same_dimensions(xs, ys, where);
  if (xs.count != ys.count)
    fail<shape_error>(where, "samples of the second set", number_text(ys.count),
                      number_text(xs.count) + ", as in the first",
                      "Give mind a seed: it then draws subsets.");
  auto const d = xs.dimensions;
  if (directions.shape().rank() != 2 || directions.shape()[1] != d || directions.count() == 0)
    fail<shape_error>(where, "directions", directions.shape().text(), "(M, " + number_text(d) + ")");
  auto const M = directions.shape()[0];
  auto const x_turned = detail::columns(x, xs), y_turned = detail::columns(y, ys);  // (d, n)
  std::vector<double> along(static_cast<std::size_t>(M));
  parallel_for(M, [&](Index direction) {
    auto const* const u = directions.data() + direction * d;
    double length = 0;
    for (Index k = 0; k < d; ++k) length += static_cast<double>(u[k]) * static_cast<double>(u[k]);
    length = std::sqrt(length);
    auto const projected = [&](Tensor<S> const& turned) {
      std::vector<double> numbers(static_cast<std::size_t>(xs.count));
      for (Index k = 0; k < d; ++k) {
        auto const along_u = static_cast<double>(u[k]) / length;
        auto const* const column = turned.data() + k * xs.count;
        for (Index i = 0; i < xs.count; ++i)
          numbers[static_cast<std::size_t>(i)] += along_u * static_cast<double>(column[i]);
      }
      std::sort(numbers.begin(), numbers.end());
      return numbers;
    };
    auto const a = projected(x_turned), b = projected(y_turned);
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    along[static_cast<std::size_t>(direction)] = sum / static_cast<double>(xs.count);
  });
  double sum = 0;
  for (auto const distance : along) sum += distance;
  return require_finite(3 * static_cast<double>(d) * sum / static_cast<double>(M), where);
}

/// The same along random directions; of the larger set a random subset counts.
template <class S>
double mind(Tensor<S> const& x, Tensor<S> const& y, MindSettings const& settings = {}) {
  auto const where = "mind";
  auto const xs = SampleSet::of(x, where), ys = SampleSet::of(y, where);
  require_same_dimensions(xs, ys, where);
  require_setting(settings.directions >= 1, where, "directions", static_cast<double>(settings.directions),
                  "1 or more");
  auto const n = std::min(xs.count, ys.count), d = xs.dimensions;
  auto const some = [&](Tensor<S> const& of, SampleSet const& set) {
    return set.count == n ? of : detail::subset(of, set, n, settings.seed, 0);
  };
  return mind_along(normal<S>({settings.directions, d}, Key{settings.seed}), some(x, xs), some(y, ys));
}

}  // namespace consistency
