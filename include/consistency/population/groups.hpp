// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/check.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Throws config_error unless samples `first` to first + n − 1 of a step, or of a part of one, are whole
/// groups of `size`: a group is of samples that follow each other, the first of a step in the first.
inline void require_groups(char const* where, Index size, Index first, Index n) {
  if (size < 1 || first % size != 0 || n % size != 0)
    fail<config_error>(
        where, "group", number_text(size),
        "1 or more, a divisor of " + number_text(n) + " samples from number " + number_text(first) + " on",
        "Batches, micro-batches and the parts of a batch that ranks have are whole groups.");
}

/// Samples (n, …) as populations of `size`: (n / size, size, numbers of a sample).
auto grouped(Operand auto const& x, Index size) {
  auto const& samples = evaluated(x);
  auto const n = samples.shape()[0];
  return reshape(samples, {n / size, size, n == 0 ? 0 : samples.shape().count() / n});
}

}  // namespace consistency
