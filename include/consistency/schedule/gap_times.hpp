// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/schedule/time_pair.hpp>

namespace consistency {

/// r = t (1 − (1 + κ sigmoid(−t)) / Q), at least ε (Geng et al. 2024, Section 4).
inline double end_of_gap(double t, double kappa, double Q, double epsilon) {
  return std::max(epsilon, t * (1 - (1 + kappa / (1 + std::exp(t))) / Q));
}

/// t by a continuous log-normal distribution and r = t (1 − (1 + κ sigmoid(−t)) / q^{a}), at least ε: the gap
/// shrinks by q at every stage a (Geng et al. 2024, Section 4). Stage 0 has r = ε: there the method trains a
/// denoiser. Their r goes down to 0, where their f is the identity; here f(x, ε) = x, and so r ends at ε.
struct GapTimes {
  LogNormalDistribution distribution{};
  double q = 2;
  double kappa = 8;
  Index denoising = 0;       ///< steps of stage 0
  Index stage_steps = 1000;  ///< steps of each later stage
  Index stages = 8;          ///< the last stage goes on for ever

  void check() const {
    check_settings(distribution);
    require_setting(q > 1, "GapTimes", "q", q, "more than 1");
    require_setting(kappa >= 0, "GapTimes", "kappa", kappa, "0 or more");
    require_setting(denoising >= 0, "GapTimes", "denoising", static_cast<double>(denoising), "0 or more");
    require_setting(stage_steps >= 1, "GapTimes", "stage_steps", static_cast<double>(stage_steps),
                    "1 or more");
    require_setting(stages >= 1, "GapTimes", "stages", static_cast<double>(stages), "1 or more");
    auto const narrowest = std::pow(q, static_cast<double>(stages));
    if (!(1 / narrowest >= least_gap))
      fail<config_error>("GapTimes", "q^stages",
                         number_text(q) + "^" + number_text(stages) + " = " + number_text(narrowest),
                         "at most 65536: the last gap, t / q^stages, is otherwise lost in float",
                         "Take fewer stages, or a smaller q.");
  }
  Index stage(Index k) const {
    return k < denoising ? 0 : std::min(stages, 1 + (k - denoising) / stage_steps);
  }
  TimePair draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    auto const epsilon = process.range().smallest;
    auto const t = distribution.time(process, key, at);
    return {t, stage(k) == 0 ? epsilon : end_of_gap(t, kappa, resolution(k), epsilon)};
  }
  double resolution(Index k) const { return std::pow(q, static_cast<double>(stage(k))); }
};

}  // namespace consistency
