// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/core/random.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// How often each noise level is trained on: which interval [t_n, t_{n+1}] of a grid of N points a sample
/// takes, n ∈ {1, …, N − 1}, and its time in (ε, T) where time is continuous.
/// Models: UniformDistribution, LogNormalDistribution, LogStudentDistribution. docs/concepts/schedule.md
template <class Distribution>
concept TimeDistribution =
    requires(Distribution const& distribution, VarianceExploding process, Index points, Key key, Counter at) {
      { distribution.interval(process, points, key, at) } -> std::same_as<Index>;
      { distribution.time(process, key, at) } -> std::convertible_to<double>;
    };

}  // namespace consistency
