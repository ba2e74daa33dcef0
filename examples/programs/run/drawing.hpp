// SPDX-License-Identifier: MIT
#pragma once

// How samples are drawn from what the programs train.

#include <cmath>
#include <vector>

#include <consistency/consistency.hpp>

namespace run {

using namespace consistency;

/// Evaluations of the network per sample that are shown.
template <class N>
std::vector<Index> shown_evaluations(ConsistencyFunction<N> const&) {
  return {1, 2};
}
template <class N>
std::vector<Index> shown_evaluations(Denoiser<N> const&) {
  return {11, 35};
}

/// 1: one evaluation. More: Algorithm 1 with middle times in geometric progression from T down to 0.821.
template <class N>
Multistep sampler(ConsistencyFunction<N> const& f, Index evaluations) {
  Multistep sampler;
  auto const last = sampler.times.back(), T = f.process().range().largest;
  sampler.times.clear();
  for (Index i = 1; i < evaluations; ++i)
    sampler.times.push_back(
        T * std::pow(last / T, static_cast<double>(i) / static_cast<double>(evaluations - 1)));
  return sampler;
}
/// Heun's method, whose last step is Euler's: 2 · steps − 1 evaluations. Throws config_error for an even
/// number of them.
template <class N>
OdeSampler<Heun> sampler(Denoiser<N> const&, Index evaluations) {
  if (evaluations % 2 == 0)
    fail<config_error>("--steps", "evaluations of a denoiser", number_text(evaluations),
                       "an odd number: two for each step of Heun's method but the last");
  return {.steps = (evaluations + 1) / 2};
}

}  // namespace run
