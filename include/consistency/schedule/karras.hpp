// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/core/time_range.hpp>

namespace consistency {

/// The least (t − r) / t of two times that a method divides by: in float t − r is then right to 1 %.
inline constexpr double least_gap = 0x1p-16;

/// The times t_1 = ε < … < t_N = T, evenly spaced in t^{1/ρ} (Karras et al. 2022, Eq. 5; Song et al. 2023,
/// Section 2).
struct KarrasGrid {
  double epsilon = 0.002;
  double sigma_max = 80;  ///< T
  double rho = 7;

  /// Throws config_error unless 0 < ε < T and ρ > 0, all finite, and the squares of times are floats.
  void check() const {
    auto const refuse = [](char const* what, double found, char const* expected) {
      throw config_error{{.where = "KarrasGrid",
                          .what = what,
                          .found = number_text(found),
                          .expected = expected,
                          .advice = "The paper's values are epsilon 0.002, sigma_max 80, rho 7."}};
    };
    if (!(epsilon > 0 && std::isfinite(epsilon))) refuse("epsilon", epsilon, "a positive number");
    if (!(sigma_max > epsilon && std::isfinite(sigma_max)))
      refuse("sigma_max", sigma_max, "more than epsilon");
    if (!(epsilon >= 1e-18)) refuse("epsilon", epsilon, "at least 1e-18, whose square float holds");
    if (!(sigma_max <= 1e18)) refuse("sigma_max", sigma_max, "at most 1e18, whose square float holds");
    if (!(rho > 0 && std::isfinite(rho))) refuse("rho", rho, "a positive number");
    auto const low = from_unit(0.25), high = from_unit(0.75);
    if (!(epsilon < low && low < high && high < sigma_max))
      refuse("rho", rho, "a number whose powers tell times apart");
  }

  /// t_n of N points, n = 1 … N; the ends are ε and T to the last bit. Throws config_error for N < 2.
  double operator()(Index n, Index points) const {
    if (points < 2 || n < 1 || n > points)
      throw config_error{{.where = "KarrasGrid",
                          .what = "point n of N",
                          .found = "n = " + number_text(n) + ", N = " + number_text(points),
                          .expected = "N >= 2 and 1 <= n <= N",
                          .advice = ""}};
    if (n == 1) return epsilon;
    if (n == points) return sigma_max;
    return from_unit(static_cast<double>(n - 1) / static_cast<double>(points - 1));
  }

  /// The least (t_{n+1} − t_n) / t_{n+1} of N points: that of the last two, as t_{n+1} / t_n falls with n.
  double smallest_gap(Index points) const {
    auto const below_T = from_unit(1 - 1 / static_cast<double>(points - 1));
    return points == 2 ? 1 - epsilon / sigma_max : 1 - below_T / sigma_max;
  }
  /// Throws config_error unless float tells neighbours of N points apart and knows their distance.
  void require_apart(char const* where, Index points) const {
    if (points < 2 || !(smallest_gap(points) >= least_gap))
      throw config_error{{.where = where,
                          .what = "points of the grid",
                          .found = number_text(points),
                          .expected = "2 or more, and neighbours apart by 2^-16 of the larger",
                          .advice = "Nearer times are not told apart in float; take fewer points."}};
  }

  friend bool operator==(KarrasGrid const&, KarrasGrid const&) = default;
  TimeRange range() const { return {epsilon, sigma_max}; }

  /// The time at position u ∈ [0, 1] of the grid, and back.
  double from_unit(double u) const {
    auto const low = std::pow(epsilon, 1 / rho);
    return std::pow(low + u * (std::pow(sigma_max, 1 / rho) - low), rho);
  }
  /// τ′, the speed of the time in its position: ρ (T^{1/ρ} − ε^{1/ρ}) t^{1 − 1/ρ}.
  auto speed(auto const& t) const {
    using std::exp, std::log;
    auto const span = std::pow(sigma_max, 1 / rho) - std::pow(epsilon, 1 / rho);
    return rho * span * exp((1 - 1 / rho) * log(t));
  }
  double to_unit(double t) const {
    auto const low = std::pow(epsilon, 1 / rho);
    return (std::pow(t, 1 / rho) - low) / (std::pow(sigma_max, 1 / rho) - low);
  }
};

}  // namespace consistency
