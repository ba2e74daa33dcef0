#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// N(k): how many grid points training step k uses. Models: AdaptiveSteps, DoublingSteps, FixedSteps.
template <class C>
concept Curriculum = requires(C const& c, Index k) {
  { c.points(k) } -> std::same_as<Index>;
};

/// N(k) = ⌈√(k/K ((s₁ + 1)² − s₀²) + s₀²) − 1⌉ + 1 (Song et al. 2023, Appendix C).
struct AdaptiveSteps {
  Index s0 = 2;
  Index s1 = 150;
  Index K = 800000;  ///< total training steps

  void check() const {
    require_setting(s0 >= 1, "AdaptiveSteps", "s0", static_cast<double>(s0), "1 or more");
    require_setting(s1 >= s0, "AdaptiveSteps", "s1", static_cast<double>(s1), "s0 or more");
    require_setting(K >= 1, "AdaptiveSteps", "K", static_cast<double>(K), "1 or more");
  }
  Index points(Index k) const {
    auto const first = static_cast<double>(s0);
    auto const last = static_cast<double>(s1 + 1);
    auto const share = static_cast<double>(std::min(k, K)) / static_cast<double>(K);
    auto const root = std::sqrt(share * (last * last - first * first) + first * first);
    return std::max<Index>(1, static_cast<Index>(std::ceil(root - 1))) + 1;
  }
};

/// N(k) = min(s₀ 2^⌊k/K′⌋, s₁) + 1 with K′ = ⌊K / (log₂⌊s₁/s₀⌋ + 1)⌋ (Song & Dhariwal 2023, Section 3.4).
struct DoublingSteps {
  Index s0 = 10;
  Index s1 = 1280;
  Index K = 400000;

  void check() const {
    require_setting(s0 >= 1, "DoublingSteps", "s0", static_cast<double>(s0), "1 or more");
    require_setting(s1 >= s0, "DoublingSteps", "s1", static_cast<double>(s1), "s0 or more");
    require_setting(K >= 1, "DoublingSteps", "K", static_cast<double>(K), "1 or more");
  }
  Index points(Index k) const {
    auto const stages = std::log2(std::floor(static_cast<double>(s1) / static_cast<double>(s0))) + 1;
    auto const stage = std::max<Index>(1, static_cast<Index>(std::floor(static_cast<double>(K) / stages)));
    auto const doublings = std::min<Index>(k / stage, 60);
    auto const scaled = static_cast<double>(s0) * std::exp2(static_cast<double>(doublings));
    return (scaled >= static_cast<double>(s1) ? s1 : static_cast<Index>(scaled)) + 1;
  }
};

/// N(k) = N.
struct FixedSteps {
  Index N = 18;
  void check() const { require_setting(N >= 2, "FixedSteps", "N", static_cast<double>(N), "2 or more"); }
  Index points(Index) const { return N; }
};

}  // namespace consistency
