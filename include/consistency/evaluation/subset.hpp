// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include <consistency/data/batches.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

/// A mean over parts of a set, and their standard deviation.
struct MeanAndDeviation {
  double mean, deviation;
};

namespace detail {

/// `size` samples of x (n, …) as (size, d), drawn without replacement: a pure function of seed and number.
template <class S>
Tensor<S> subset(Tensor<S> const& x, SampleSet const& set, Index size, std::uint64_t seed,
                 std::uint32_t number) {
  auto const order = shuffled(static_cast<std::uint32_t>(set.count), Key{seed}, number);
  Tensor<S> chosen{{size, set.dimensions}};
  for (Index i = 0; i < size; ++i)
    std::copy_n(x.data() + Index{order[static_cast<std::size_t>(i)]} * set.dimensions, set.dimensions,
                chosen.mutable_data() + i * set.dimensions);
  return chosen;
}

}  // namespace detail

}  // namespace consistency
