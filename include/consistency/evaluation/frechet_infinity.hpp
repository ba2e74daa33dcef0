// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/evaluation/frechet_distance.hpp>
#include <consistency/evaluation/subset.hpp>

namespace consistency {

/// The line through distances of sets of n samples, over 1 / n, by least squares: what it says for infinitely
/// many, where the bias of a Fréchet distance is gone (Chong & Forsyth 2020).
inline double intercept_in_count(std::vector<Index> const& counts, std::vector<double> const& distances) {
  auto const where = "intercept_in_count";
  if (counts.size() < 2 || counts.size() != distances.size())
    fail<config_error>(where, "counts and distances",
                       number_text(counts.size()) + " and " + number_text(distances.size()),
                       "two or more, as many of each");
  auto const m = static_cast<double>(counts.size());
  double u = 0, v = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    u += 1 / static_cast<double>(counts[i]) / m, v += distances[i] / m;
  double spread = 0, together = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    auto const apart = 1 / static_cast<double>(counts[i]) - u;
    spread += apart * apart, together += apart * (distances[i] - v);
  }
  require_setting(spread > 0, where, "counts", static_cast<double>(counts[0]), "not all the same");
  return v - together / spread * u;
}

struct FrechetInfinitySettings {
  Index points = 15;      ///< subsets, of sizes spread evenly up to all samples
  Index smallest = 5000;  ///< size of the smallest
  std::uint64_t seed = 0;
};

/// FD∞: the Fréchet distance between a reference and the distribution that generated features (m, d) come
/// from. Throws as frechet_distance, and config_error for fewer than 2 points or a smallest subset of all
/// samples.
template <class S, std::same_as<Gaussian> G = Gaussian>
double frechet_distance_infinity(std::type_identity_t<G> const& reference, Tensor<S> const& generated,
                                 FrechetInfinitySettings const& settings = {}) {
  auto const where = "frechet_distance_infinity";
  auto const set = SampleSet::of(generated, where);
  require_setting(settings.points >= 2, where, "points", static_cast<double>(settings.points), "2 or more");
  if (settings.smallest < 2 || settings.smallest >= set.count)
    fail<config_error>(where, "smallest", number_text(settings.smallest),
                       "from 2 to " + number_text(set.count - 1) + ", fewer than all samples");
  std::vector<Index> counts;
  std::vector<double> distances;
  for (Index i = 0; i < settings.points; ++i) {
    counts.push_back(settings.smallest + (set.count - settings.smallest) * i / (settings.points - 1));
    auto const part =
        detail::subset(generated, set, counts.back(), settings.seed, static_cast<std::uint32_t>(i));
    distances.push_back(frechet_distance(reference, Gaussian::of(part)));
  }
  return intercept_in_count(counts, distances);
}

}  // namespace consistency
