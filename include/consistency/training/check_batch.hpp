// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/core/error.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Throws dataset_error, naming the sample, unless `batch` (n, …) can be trained on: one sample or more,
/// finite, and of about unit scale.
template <class X>
void check_batch(X const& batch) {
  constexpr double largest_magnitude = 16;  // far outside what a sigma_data of 0.5 means
  if (!batch.defined() || batch.count() == 0)
    fail<dataset_error>("Trainer", "batch", "no data", "1 sample or more");
  auto const magnitude = to<Cpu>(X{mean_per_sample(abs(batch))});  // (n, 1, …)
  for (Index i = 0; i < magnitude.count(); ++i) {
    if (!std::isfinite(magnitude[i]))
      fail<dataset_error>("Trainer", "sample " + number_text(i) + " of the batch",
                          "a number that is not finite", "finite data, usually in [-1, 1]",
                          "Check the data set.");
    if (magnitude[i] > largest_magnitude)
      fail<dataset_error>("Trainer", "sample " + number_text(i) + " of the batch",
                          "a mean magnitude of " + number_text(magnitude[i]),
                          "data of about unit scale, usually in [-1, 1]",
                          "Scale the data: bytes become x / 127.5 - 1.");
  }
}

}  // namespace consistency
