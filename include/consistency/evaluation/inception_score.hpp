// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/evaluation/subset.hpp>

namespace consistency {

/// exp of the mean Kullback-Leibler divergence of each sample's class probabilities (n, classes) from their
/// mean (Salimans et al. 2016), mean and standard deviation over `splits` parts of the samples in their
/// order. Named after the network whose classes are counted: with others it is compared with none of the
/// literature. Throws as SampleSet::of, config_error unless 1 ≤ splits ≤ n, and dataset_error for rows that
/// are none.
template <class S>
MeanAndDeviation inception_score(Tensor<S> const& probabilities, Index splits = 10) {
  auto const where = "inception_score";
  auto const set = SampleSet::of(probabilities, where);
  if (splits < 1 || splits > set.count)
    fail<config_error>(where, "splits", number_text(splits), "from 1 to " + number_text(set.count));
  auto const c = set.dimensions;
  for (Index i = 0; i < set.count; ++i) {
    double total = 0;
    auto negative = false;
    for (Index k = 0; k < c; ++k) {
      auto const p = static_cast<double>(probabilities[i * c + k]);
      total += p, negative = negative || p < 0;
    }
    if (negative || std::abs(total - 1) > 1e-3)
      fail<dataset_error>(where, "row " + number_text(i), "a sum of " + number_text(total),
                          "probabilities, with a sum of 1", "Take the softmax of scores first.");
  }
  std::vector<double> scores;
  for (Index part = 0; part < splits; ++part) {
    auto const begin = part * set.count / splits, end = (part + 1) * set.count / splits;
    auto const n = static_cast<double>(end - begin);
    std::vector<double> mean(static_cast<std::size_t>(c));
    for (Index i = begin; i < end; ++i)
      for (Index k = 0; k < c; ++k)
        mean[static_cast<std::size_t>(k)] += static_cast<double>(probabilities[i * c + k]) / n;
    double divergence = 0;
    for (Index i = begin; i < end; ++i)
      for (Index k = 0; k < c; ++k)
        if (auto const p = static_cast<double>(probabilities[i * c + k]); p > 0)
          divergence += p * std::log(p / mean[static_cast<std::size_t>(k)]) / n;
    scores.push_back(std::exp(divergence));
  }
  double sum = 0, squares = 0;
  for (auto const score : scores) sum += score;
  auto const mean = sum / static_cast<double>(splits);
  for (auto const score : scores) squares += (score - mean) * (score - mean);
  return {mean, std::sqrt(squares / static_cast<double>(splits))};
}

}  // namespace consistency
