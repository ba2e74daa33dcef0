// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// A data set that needs no file: points (n, 2), half of them on a circle and half on one of half its radius,
/// blurred. The circles are as large as gives either coordinate the standard deviation 0.5. Point i of step k
/// depends on the seed, k and i.
class RingsBatches {
 public:
  static constexpr double blur = 0.02;                  ///< standard deviation, of either coordinate
  static constexpr double radius = 0.8937113628012122;  ///< of the outer circle: √(3.2 (0.5² − blur²))

  /// Throws config_error for a batch below 1 or above 2^32 - 1.
  RingsBatches(Index batch, Key key) : batch_{batch}, key_{key.with_stream(stream::data_order)} {
    if (counted("RingsBatches", "batch size", batch) < 1)
      fail<config_error>("RingsBatches", "batch size", "0", "1 or more");
  }

  Index batch() const noexcept { return batch_; }

  /// The points of step k = 0, 1, …, (batch, 2). Throws config_error for a step outside 0 to 2^32 - 1.
  Tensor<float> operator()(Index k) const {
    auto const step = counted("RingsBatches", "step", k);
    auto x = Tensor<float>{{batch_, 2}};
    for (Index i = 0; i < batch_; ++i) {
      auto const at = Counter{step, static_cast<std::uint32_t>(i)};
      auto const bits = philox(key_, at, 0);
      auto const r = bits[0] % 2 == 0 ? radius : radius / 2;
      auto const angle = 2 * std::numbers::pi * to_uniform<double>(bits[1]);
      auto const z = normal_block<double>(key_, at, 1);
      x.mutable_data()[2 * i] = static_cast<float>(r * std::cos(angle) + blur * z[0]);
      x.mutable_data()[2 * i + 1] = static_cast<float>(r * std::sin(angle) + blur * z[1]);
    }
    return x;
  }

  /// True within three standard deviations of a circle: there lies 99.7 % of the data.
  static bool dark(double x, double y) {
    auto const r = std::hypot(x, y);
    return std::abs(r - radius) < 3 * blur || std::abs(r - radius / 2) < 3 * blur;
  }

 private:
  Index batch_;
  Key key_;
};

}  // namespace consistency
