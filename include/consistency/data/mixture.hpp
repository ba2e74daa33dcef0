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

/// A data set that needs no file: points (n, 2) of eight equal Gaussians on a circle, which is as large as
/// gives either coordinate the standard deviation 0.5. Point i of step k depends on the seed, k and i.
class MixtureBatches {
 public:
  static constexpr std::uint32_t modes = 8;
  static constexpr double spread = 0.05;                ///< standard deviation of a Gaussian
  static constexpr double radius = 0.7035623639735145;  ///< √(2 (0.5² − spread²))

  /// Throws config_error for a batch below 1 or above 2^32 - 1.
  MixtureBatches(Index batch, Key key) : batch_{batch}, key_{key.with_stream(stream::data_order)} {
    if (counted("MixtureBatches", "batch size", batch) < 1)
      fail<config_error>("MixtureBatches", "batch size", "0", "1 or more");
  }

  Index batch() const noexcept { return batch_; }

  /// The points of step k = 0, 1, …, (batch, 2). Throws config_error for a step outside 0 to 2^32 - 1.
  Tensor<float> operator()(Index k) const {
    auto const step = counted("MixtureBatches", "step", k);
    auto x = Tensor<float>{{batch_, 2}};
    for (Index i = 0; i < batch_; ++i) {
      auto const at = Counter{step, static_cast<std::uint32_t>(i)};
      auto const mode = philox(key_, at, 0)[0] % modes;
      auto const z = normal_block<double>(key_, at, 1);
      x.mutable_data()[2 * i] = static_cast<float>(radius * std::cos(angle(mode)) + spread * z[0]);
      x.mutable_data()[2 * i + 1] = static_cast<float>(radius * std::sin(angle(mode)) + spread * z[1]);
    }
    return x;
  }

  /// True within three standard deviations of a Gaussian's centre: there lies 98.9 % of the data.
  static bool dark(double x, double y) {
    for (std::uint32_t mode = 0; mode < modes; ++mode)
      if (std::hypot(x - radius * std::cos(angle(mode)), y - radius * std::sin(angle(mode))) < 3 * spread)
        return true;
    return false;
  }

 private:
  static double angle(std::uint32_t mode) { return 2 * std::numbers::pi * mode / modes; }

  Index batch_;
  Key key_;
};

}  // namespace consistency
