// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/core/check.hpp>
#include <consistency/schedule/time_distribution.hpp>

namespace consistency {

/// ln σ by Student's distribution of `freedom` degrees of freedom about `mean`, cut to the times of the
/// process: with few degrees nearly even in the logarithm of |ln σ − mean| (Lee et al. 2024, Section 4).
struct LogStudentDistribution {
  double mean = 0;
  double scale = 0.2;
  double freedom = 0.01;  ///< ν

  void check() const {
    require_setting(std::isfinite(mean), "LogStudentDistribution", "mean", mean, "a finite number");
    require_positive("LogStudentDistribution", "scale", scale);
    require_positive("LogStudentDistribution", "freedom", freedom);
  }
  Index interval(NoiseProcess auto const& process, Index points, Key key, Counter at) const {
    auto const u = grid_of(process).to_unit(time(process, key, at));
    auto const n = static_cast<Index>(u * static_cast<double>(points - 1));
    return 1 + std::clamp<Index>(n, 0, points - 2);
  }
  /// A continuous draw from (ε, T). With ln σ = mean + scale √ν sinh y the density of y is cosh(y)^{−ν} up to
  /// a factor: even draws of y are accepted by it.
  double time(NoiseProcess auto const& process, Key key, Counter at) const {
    auto const [epsilon, T] = process.range();
    auto const unit = scale * std::sqrt(freedom);
    constexpr auto most = 40.0;  // |ln σ| beyond which there is nothing but data or noise
    auto const y_of = [&](double time) {
      return std::asinh((std::clamp(std::log(process.sigma(time)), -most, most) - mean) / unit);
    };
    auto const low = y_of(epsilon), high = y_of(T);
    auto const densest = std::cosh(std::clamp(0.0, low, high));
    for (std::uint32_t block = 0; block < 1024; ++block) {
      auto const u = uniform_block<double>(key, at, block);
      for (std::size_t i = 0; i < 4; i += 2) {
        auto const y = low + u[i] * (high - low);
        auto const t = process.time(std::exp(mean + unit * std::sinh(y)));
        if (u[i + 1] < std::pow(densest / std::cosh(y), freedom) && t > epsilon && t < T) return t;
      }
    }
    fail<config_error>("LogStudentDistribution", "mean, scale and freedom",
                       number_text(mean) + ", " + number_text(scale) + ", " + number_text(freedom),
                       "a distribution with mass inside (epsilon, T)",
                       "The usual values are 0, 0.2 and 0.01.");
  }
};
static_assert(TimeDistribution<LogStudentDistribution>);

}  // namespace consistency
