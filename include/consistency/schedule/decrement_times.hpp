// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/time_span.hpp>

namespace consistency {

/// t uniform in (ε, T), r uniform in (ε, t), and q nearer to the data than t by one of `steps` even parts of
/// the noise levels, but not below r (Zhou, Ermon & Song 2025, Inductive Moment Matching; 2¹⁵ for CIFAR-10,
/// 2¹² for ImageNet 256).
struct DecrementTimes {
  Index steps = 32768;

  /// Throws config_error for a process whose noise level at T is not finite.
  void check(NoiseProcess auto const& process) const {
    require_within("DecrementTimes", "steps", steps, 1, Index{1} << 40U);
    auto const top = process.sigma(process.range().largest);
    if (!(top < 1e6))
      fail<config_error>("DecrementTimes", "noise level at T", number_text(top), "less than 1e6",
                         "Give the process an end: FlowMap{net, LinearPath{.epsilon = 0.006, .T = 0.994}}.");
  }
  TimeSpan draw(NoiseProcess auto const& process, Index, Key key, Counter at) const {
    auto const [epsilon, T] = process.range();
    auto const u = uniform_block<double>(key, at, 0);
    auto const t = epsilon + (T - epsilon) * u[0];
    auto const r = epsilon + (t - epsilon) * u[1];
    auto const bottom = process.sigma(epsilon);
    auto const step = (process.sigma(T) - bottom) / static_cast<double>(steps);
    auto const q = process.time(std::max(process.sigma(t) - step, bottom));
    return {t, std::clamp(q, r, t), r};
  }
};

}  // namespace consistency
