// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <consistency/core/check.hpp>

namespace consistency {

/// A moving average of θ: after update k = 1, 2, … it is μ(k) times itself plus 1 − μ(k) times θ.
class Average {
 public:
  /// A number μ is warm_up(μ).
  Average(double mu) : Average{warm_up(mu)} {}  // NOLINT(google-explicit-constructor): the usual average

  /// μ from the first update on, as in the papers' programs.
  static Average constant(double mu) { return {Kind::constant, mu}; }
  /// At most (1 + k) / (10 + k), so that short runs forget where they began, and then μ; 0.9999 is reached
  /// after 90,000 updates.
  static Average warm_up(double mu) { return {Kind::warm_up, mu}; }
  /// An update's share halves in so many.
  static Average half_life(double updates) { return {Kind::half_life, updates}; }
  /// 1 − (1 + k)^{−exponent}, at most `most` (as robot policies take it, Chi et al. 2023).
  static Average inverse_power(double exponent, double most = 0.9999) {
    return {Kind::inverse_power, exponent, most};
  }
  /// (1 − 1/k)^{γ + 1}: the profile grows with the run, and its standard deviation stays the share `width` of
  /// it (Karras et al. 2024, Section 3.1, where width is σ_rel).
  static Average power_function(double width) { return {Kind::power_function, width}; }

  /// γ of a relative width: the largest root of γ³ + 7 γ² + (16 − w⁻²) γ + 12 − w⁻² (Karras et al. 2024,
  /// Appendix C).
  static double exponent(double width) {
    auto const t = 1 / (width * width);
    auto gamma = std::sqrt(t);  // above the root
    for (int i = 0; i < 50; ++i)
      gamma -= (((gamma + 7) * gamma + 16 - t) * gamma + 12 - t) / ((3 * gamma + 14) * gamma + 16 - t);
    return gamma;
  }

  void check() const {
    if (kind_ == Kind::constant || kind_ == Kind::warm_up) require_rate("Trainer", "ema", number_);
    if (kind_ == Kind::half_life) require_positive("Trainer", "half life of an average", number_);
    if (kind_ == Kind::inverse_power) require_positive("Trainer", "exponent of an average", number_);
    if (kind_ == Kind::inverse_power) require_rate("Trainer", "most of an average", most_);
    if (kind_ == Kind::power_function)
      require_setting(number_ > 0 && number_ <= 0.28, "Trainer", "relative width of an average", number_,
                      "from 0 to 0.28");
  }
  /// μ of update k.
  double at(Index k) const {
    auto const updates = static_cast<double>(k);
    switch (kind_) {
      case Kind::constant:
        return number_;
      case Kind::warm_up:
        return std::min(number_, (1 + updates) / (10 + updates));
      case Kind::half_life:
        return std::exp2(-1 / number_);
      case Kind::inverse_power:
        return std::min(most_, 1 - std::pow(1 + updates, -number_));
      case Kind::power_function:
        return std::pow(1 - 1 / updates, exponent(number_) + 1);
    }
    return number_;
  }

 private:
  enum class Kind : std::uint8_t { constant, warm_up, half_life, inverse_power, power_function };
  Average(Kind kind, double number, double most = 0) : kind_{kind}, number_{number}, most_{most} {}

  Kind kind_;
  double number_;
  double most_;
};

}  // namespace consistency
