#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// Draws times t > u > s of a sample: a step of the student's and its middle, in stages of N(k) = steps(k).
/// Models: ProgressiveTimes.
template <class T>
concept TimeTriples = requires(T const& times, Index k, Key key, Counter at) {
  { times.draw(k, key, at) } -> std::same_as<std::array<double, 3>>;
  { times.steps(k) } -> std::convertible_to<Index>;
  { times.stage(k) } -> std::convertible_to<Index>;
  { times.step_in_stage(k) } -> std::convertible_to<Index>;
};

/// Times t > u > s of progressive distillation: a student step from t to s and its middle u. The grid has
/// N(k) steps from T to ε, evenly spaced in t^{1/ρ}; N halves at every stage until it is 1 (Salimans & Ho
/// 2022, Algorithm 2; Song et al. 2023, Appendix C).
struct ProgressiveTimes {
  Index start = 1024;         ///< N of the first stage, a power of 2
  Index stage_steps = 50000;  ///< training steps of each stage; the last goes on for ever
  KarrasGrid grid{};

  void check() const {
    grid.check();
    require_setting(start >= 1 && (start & (start - 1)) == 0, "ProgressiveTimes", "start",
                    static_cast<double>(start), "a power of 2");
    require_setting(stage_steps >= 1, "ProgressiveTimes", "stage_steps", static_cast<double>(stage_steps),
                    "1 or more");
  }
  Index stages() const { return std::bit_width(static_cast<std::uint64_t>(start)); }
  Index stage(Index k) const { return std::min(k / stage_steps, stages() - 1); }
  Index step_in_stage(Index k) const { return k - stage(k) * stage_steps; }
  Index steps(Index k) const { return start >> stage(k); }  ///< N(k)

  std::array<double, 3> draw(Index k, Key key, Counter at) const {
    auto const N = steps(k);
    auto const j =
        std::min(N - 1, static_cast<Index>(uniform_block<double>(key, at, 0)[0] * static_cast<double>(N)));
    auto const points = 2 * N + 1;  // from ε: the student's, and a middle between each two
    auto const n = points - 2 * j;
    return {grid(n, points), grid(n - 1, points), grid(n - 2, points)};
  }
};

}  // namespace consistency
