// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/process/process.hpp>

namespace consistency {

/// The least (t − r) / t of two times that a method divides by: in float t − r is then right to 1 %.
inline constexpr double least_gap = 0x1p-16;

/// The times t_1 = ε < … < t_N = T, evenly spaced in t^{1/ρ} (Karras et al. 2022, Eq. 5; Song et al. 2023,
/// Section 2).
struct KarrasGrid {
  double epsilon, T, rho;

  /// Throws config_error unless powers of 1/ρ tell times apart.
  void check() const {
    auto const low = from_unit(0.25), high = from_unit(0.75);
    if (!(epsilon < low && low < high && high < T))
      fail<config_error>("KarrasGrid", "rho", number_text(rho), "a number whose powers tell times apart",
                         "The paper's values are epsilon 0.002, T 80, rho 7.");
  }

  /// t_n of N points, n = 1 … N; the ends are ε and T to the last bit. Throws config_error for N < 2.
  double operator()(Index n, Index points) const {
    if (points < 2 || n < 1 || n > points)
      fail<config_error>("KarrasGrid", "point n of N",
                         "n = " + number_text(n) + ", N = " + number_text(points), "N >= 2 and 1 <= n <= N");
    if (n == 1) return epsilon;
    if (n == points) return T;
    return from_unit(static_cast<double>(n - 1) / static_cast<double>(points - 1));
  }

  /// The least (t_{n+1} − t_n) / t_{n+1} of N points: that of the last two, as t_{n+1} / t_n falls with n.
  double smallest_gap(Index points) const {
    auto const below_T = from_unit(1 - 1 / static_cast<double>(points - 1));
    return points == 2 ? 1 - epsilon / T : 1 - below_T / T;
  }
  /// Throws config_error unless float tells neighbours of N points apart and knows their distance.
  void require_apart(char const* where, Index points) const {
    if (points < 2 || !(smallest_gap(points) >= least_gap))
      fail<config_error>(where, "points of the grid", number_text(points),
                         "2 or more, and neighbours apart by 2^-16 of the larger",
                         "Nearer times are not told apart in float; take fewer points.");
  }

  /// The time at position u ∈ [0, 1] of the grid, and back.
  double from_unit(double u) const {
    auto const low = std::pow(epsilon, 1 / rho);
    return std::pow(low + u * (std::pow(T, 1 / rho) - low), rho);
  }
  /// τ′, the speed of the time in its position: ρ (T^{1/ρ} − ε^{1/ρ}) t^{1 − 1/ρ}.
  auto speed(auto const& t) const {
    using std::exp, std::log;
    auto const span = std::pow(T, 1 / rho) - std::pow(epsilon, 1 / rho);
    return rho * span * exp((1 - 1 / rho) * log(t));
  }
  double to_unit(double t) const {
    auto const low = std::pow(epsilon, 1 / rho);
    return (std::pow(t, 1 / rho) - low) / (std::pow(T, 1 / rho) - low);
  }
};

/// The grid of a noise process.
KarrasGrid grid_of(NoiseProcess auto const& process) {
  auto const [epsilon, T] = process.range();
  return {epsilon, T, process.rho};
}

}  // namespace consistency
