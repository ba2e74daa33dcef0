// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// What a model's numbers x are of: data = mean + deviation x, along the last axis of the data. Without
/// numbers it changes nothing.
struct Scaling {
  std::vector<double> mean{}, deviation{};  ///< of each channel

  bool none() const noexcept { return mean.empty() && deviation.empty(); }
  /// Throws config_error unless there are none, or as many as channels, finite, the deviations above 0.
  void check(char const* where, Index channels) const {
    if (none()) return;
    auto const count = static_cast<std::size_t>(channels);
    auto sound = mean.size() == count && deviation.size() == count;
    for (std::size_t i = 0; sound && i < count; ++i)
      sound = std::isfinite(mean[i]) && std::isfinite(deviation[i]) && deviation[i] > 0;
    if (!sound)
      fail<config_error>(where, "means and deviations of a scaling",
                         number_text(mean.size()) + " and " + number_text(deviation.size()),
                         number_text(channels) + " each, finite, the deviations above 0");
  }
  /// x ↦ data, rows of as many channels as there are means.
  void to_data(std::span<float> x) const noexcept {
    if (none()) return;
    for (std::size_t i = 0; i < x.size(); ++i) {
      auto const c = i % mean.size();
      x[i] = static_cast<float>(mean[c] + deviation[c] * static_cast<double>(x[i]));
    }
  }
  /// data ↦ x
  void from_data(std::span<float> data) const noexcept {
    if (none()) return;
    for (std::size_t i = 0; i < data.size(); ++i) {
      auto const c = i % mean.size();
      data[i] = static_cast<float>((static_cast<double>(data[i]) - mean[c]) / deviation[c]);
    }
  }

  friend bool operator==(Scaling const&, Scaling const&) = default;
};

}  // namespace consistency
