// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <consistency/core/error.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// Whether the pairs of a sample with itself count in a mean over pairs: without them it has no bias.
enum class Estimator : std::uint8_t { unbiased, biased };

/// What a tensor (n, …) holds for a measure of quality: n samples of d numbers.
struct SampleSet {
  Index count, dimensions;

  /// Throws dataset_error for fewer than `least` samples, none of whose numbers may be missing or not finite.
  template <class S>
  static SampleSet of(Tensor<S> const& x, char const* where, Index least = 2) {
    if (x.shape().rank() == 0 || x.shape()[0] < least || x.count() == 0)
      fail<dataset_error>(where, "samples", x.shape().text(), "(n, ...) with n >= " + number_text(least),
                          "A spread cannot be estimated from fewer.");
    auto const set = SampleSet{x.shape()[0], x.count() / x.shape()[0]};
    auto const values = x.values();
    auto const bad = std::find_if(values.begin(), values.end(), [](S v) { return !std::isfinite(v); });
    if (bad != values.end())
      fail<dataset_error>(where, "sample " + number_text((bad - values.begin()) / set.dimensions),
                          number_text(*bad), "finite numbers", "Did the training diverge?");
    return set;
  }
};

/// Throws shape_error unless the samples of both sets have the same size.
inline void require_same_dimensions(SampleSet const& a, SampleSet const& b, char const* where) {
  if (a.dimensions != b.dimensions)
    fail<shape_error>(where, "dimensions of the second set", number_text(b.dimensions),
                      number_text(a.dimensions) + ", as in the first");
}

/// A measure as it is; throws numeric_error where it is not finite.
inline double require_finite(double measure, char const* where) {
  if (!std::isfinite(measure))
    fail<numeric_error>(where, "distance", number_text(measure), "a finite number",
                        "The samples are too far apart for their squares to be numbers.");
  return measure;
}

}  // namespace consistency
