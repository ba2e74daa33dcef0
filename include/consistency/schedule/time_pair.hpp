#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>

#include <consistency/schedule/curriculum.hpp>
#include <consistency/schedule/time_law.hpp>

namespace consistency {

/// Two neighbouring times of one sample, t > r ≥ ε.
struct TimePair {
  double t, r;
};

/// Draws the times of training step k. `resolution(k)` is N(k), or its counterpart, for the progress line.
/// Models: GridTimes, GapTimes. docs/concepts/schedule.md
template <class T>
concept TimePairs = requires(T const& times, Index k, Key key, Counter at) {
  { times.draw(k, key, at) } -> std::same_as<TimePair>;
  { times.resolution(k) } -> std::convertible_to<double>;
  { times.epsilon() } -> std::convertible_to<double>;
};

/// (t_{n+1}, t_n) of a Karras grid with N(k) points, n by a time law (Song et al. 2023, Algorithm 3).
template <Curriculum C = AdaptiveSteps, TimeLaw L = UniformLaw>
struct GridTimes {
  C curriculum{};
  L law{};
  KarrasGrid grid{};

  void check() const {
    grid.check();
    check_settings(curriculum);
    check_settings(law);
  }
  TimePair draw(Index k, Key key, Counter at) const {
    auto const points = curriculum.points(k);
    auto const n = law.interval(grid, points, key, at);
    return {grid(n + 1, points), grid(n, points)};
  }
  double resolution(Index k) const { return static_cast<double>(curriculum.points(k)); }
  double epsilon() const { return grid.epsilon; }
};

/// t by a continuous log-normal law and r = t (1 − (1 + κ sigmoid(−t)) / q^{a}), at least ε: the gap shrinks
/// by q at every stage a (Geng et al. 2024, Section 4). Stage 0 has r = ε: there the method trains a
/// denoiser.
struct GapTimes {
  LogNormalLaw law{};
  double q = 2;
  double kappa = 8;
  Index denoising = 0;       ///< steps of stage 0
  Index stage_steps = 1000;  ///< steps of each later stage
  Index stages = 8;          ///< the last stage goes on for ever
  KarrasGrid grid{};

  void check() const {
    grid.check();
    check_settings(law);
    require_setting(q > 1, "GapTimes", "q", q, "more than 1");
    require_setting(kappa >= 0, "GapTimes", "kappa", kappa, "0 or more");
    require_setting(stages >= 1, "GapTimes", "stages", static_cast<double>(stages), "1 or more");
  }
  Index stage(Index k) const {
    return k < denoising ? 0 : std::min(stages, 1 + (k - denoising) / std::max<Index>(1, stage_steps));
  }
  TimePair draw(Index k, Key key, Counter at) const {
    auto const t = law.time(grid, key, at);
    auto const gap = (1 + kappa / (1 + std::exp(t))) / std::pow(q, static_cast<double>(stage(k)));
    return {t, stage(k) == 0 ? grid.epsilon : std::max(grid.epsilon, t * (1 - gap))};
  }
  double resolution(Index k) const { return std::pow(q, static_cast<double>(stage(k))); }
  double epsilon() const { return grid.epsilon; }
};

}  // namespace consistency
