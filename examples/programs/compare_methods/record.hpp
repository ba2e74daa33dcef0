// SPDX-License-Identifier: MIT
#pragma once

// What is known of a trained policy: its curve, and what it took.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/core/shape.hpp>

#include "plan.hpp"

namespace compare {

using consistency::Index;

/// One number per measure of the subject; smaller is better, and the first one is drawn.
using Quality = std::vector<double>;

struct Record {
  std::vector<Index> steps;
  std::vector<Quality> quality;  ///< after these steps
  Index done = 0;                ///< steps
  double seconds = 0;            ///< of training alone
  std::string stopped;           ///< why training ended early, if it did
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Record, steps, quality, done, seconds, stopped)

  /// Throws format_error for a record that a file has and no training can have made.
  void check(std::size_t measures) const {
    auto fits = steps.size() == quality.size() && done >= 0 && std::isfinite(seconds) && seconds >= 0 &&
                !consistency::detail::has_control_bytes(stopped);
    for (std::size_t i = 0; i < steps.size(); ++i)
      fits = fits && steps[i] > (i == 0 ? 0 : steps[i - 1]) && steps[i] <= done;
    for (auto const& one : quality)
      fits = fits && one.size() == measures &&
             std::all_of(one.begin(), one.end(), [](double value) { return std::isfinite(value); });
    if (!fits)
      consistency::fail<consistency::format_error>("compare_methods", "record of a trained policy",
                                                   "steps, qualities or times that do not fit each other",
                                                   "what compare_methods writes", "Choose another --out.");
  }

  bool measured() const { return !quality.empty(); }
  double final_quality() const { return quality.back().front(); }
  double best_quality() const { return (*std::min_element(quality.begin(), quality.end())).front(); }
  double seconds_per_step() const { return seconds / static_cast<double>(std::max<Index>(1, done)); }
};

/// A policy with its results.
struct Result {
  std::string name, label;
  Record record;
};

/// A whole comparison.
struct Summary {
  Plan plan;
  std::vector<std::string> measures;  ///< the first is drawn
  double noise;  ///< of the first measure: what it says of two sets of real data, on average
  Result teacher;
  std::vector<Result> students;
};

}  // namespace compare
