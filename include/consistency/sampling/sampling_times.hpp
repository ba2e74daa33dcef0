// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// The times T = t₀ > t₁ > … of a sampler of `steps` steps, on the grid of a process: to 0, where x is
/// D(x, ε), or to ε.
struct SamplingTimes {
  Index steps;
  bool to_zero = true;

  /// Throws config_error for fewer than 1 step or more than are counted.
  void check(char const* where, NoiseProcess auto const& process) const {
    grid_of(process).check();
    require_setting(steps >= 1, where, "steps", static_cast<double>(steps), "1 or more");
    static_cast<void>(counted(where, "steps", 1, steps));
  }

  /// Time number i = 0 … steps.
  double operator()(NoiseProcess auto const& process, Index i) const {
    if (i == 0) return process.range().largest;
    auto const points = to_zero ? steps : steps + 1;
    return i == points ? 0 : grid_of(process)(points - i, points);
  }
};

}  // namespace consistency
