// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/curriculum.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// Draws times t > u > s of a sample: a step of the student's and its middle, in stages of N(k) = steps(k).
/// Models: ProgressiveTimes.
template <class T>
concept TimeTriples = requires(T const& times, VarianceExploding process, Index k, Key key, Counter at) {
  { times.draw(process, k, key, at) } -> std::same_as<std::array<double, 3>>;
  { times.steps(k) } -> std::convertible_to<Index>;
  { times.stage(k) } -> std::convertible_to<Index>;
  { times.step_in_stage(k) } -> std::convertible_to<Index>;
};

/// Times t > u > s of progressive distillation: a student step from t to s and its middle u. The grid has
/// N(k) steps from T to ε, evenly spaced in t^{1/ρ}; N halves at every stage until it is 1 (Salimans & Ho
/// 2022, Algorithm 2; Song et al. 2023, Appendix C).
struct ProgressiveTimes {
  Index start = 1024;         ///< N of the first stage, a power of 2
  Index stage_steps = 50000;  ///< training steps of each stage before N = 2; the last goes on for ever
  Index two_step_stages =
      1;  ///< the stage of N = 2 lasts as long as this many others: 2 in the authors' runs

  void check(NoiseProcess auto const& process) const {
    auto const grid = grid_of(process);
    grid.check();
    require_setting(start >= 1 && start <= most_intervals && (start & (start - 1)) == 0, "ProgressiveTimes",
                    "start", static_cast<double>(start), "a power of 2, at most 2^30");
    grid.require_apart("ProgressiveTimes", 2 * start + 1);
    require_setting(stage_steps >= 1 && stage_steps <= Index{1} << 32U, "ProgressiveTimes", "stage_steps",
                    static_cast<double>(stage_steps), "1 to 2^32");
    require_setting(two_step_stages >= 1 && two_step_stages <= 1000, "ProgressiveTimes", "two_step_stages",
                    static_cast<double>(two_step_stages), "1 to 1000");
  }
  Index stages() const { return std::bit_width(static_cast<std::uint64_t>(start)); }
  Index stage(Index k) const {
    auto const last = stages() - 1;
    return k < first_step(last) ? std::min(k / stage_steps, last - 1) : last;
  }
  Index step_in_stage(Index k) const { return k - first_step(stage(k)); }
  Index steps(Index k) const { return start >> stage(k); }  ///< N(k)

  std::array<double, 3> draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    auto const grid = grid_of(process);
    auto const N = steps(k);
    auto const j =
        std::min(N - 1, static_cast<Index>(uniform_block<double>(key, at, 0)[0] * static_cast<double>(N)));
    auto const points = 2 * N + 1;  // from ε: the student's, and a middle between each two
    auto const n = points - 2 * j;
    return {grid(n, points), grid(n - 1, points), grid(n - 2, points)};
  }

 private:
  Index first_step(Index stage) const {
    auto const after_two = start > 1 && stage == stages() - 1;
    return (stage + (after_two ? two_step_stages - 1 : 0)) * stage_steps;
  }
};

}  // namespace consistency
