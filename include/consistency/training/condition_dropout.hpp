// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/data/batch.hpp>

namespace consistency {

/// The batch with the null condition in place of the condition of a share `rate` of its samples, so that the
/// network learns to do without (Ho & Salimans 2022, Algorithm 1). Sample i is drawn as sample first + i of
/// step k. Throws config_error where there is no condition to drop.
template <class X>
Batch<X> without_some_conditions(Batch<X> const& batch, double rate, Index k, Key key, std::uint32_t first) {
  if (rate == 0) return batch;
  if (!batch.condition.defined())
    fail<config_error>("Trainer", "condition_dropout",
                       number_text(rate) + ", and a batch without a condition",
                       "0, or batches with conditions", "Let the data set give a Batch with its condition.");
  using S = typename X::Scalar;
  auto const n = batch.x0.shape()[0];
  auto const at = Counter{counted("Trainer", "step k", k), counted("Trainer", "samples of a step", first, n)};
  Tensor<S> kept{Shape{n, 1}};  // (n, 1): 1 or 0
  for (Index i = 0; i < n; ++i) {
    auto const sample = Counter{at.step, at.sample + static_cast<std::uint32_t>(i)};
    auto const u = uniform_block<double>(key.with_stream(stream::conditions), sample, 0)[0];
    kept.mutable_data()[i] = u < rate ? S(0) : S(1);
  }
  return {batch.x0, batch.condition.kept(to<typename X::Backend>(kept))};
}

}  // namespace consistency
