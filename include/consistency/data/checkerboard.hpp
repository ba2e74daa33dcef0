// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/random.hpp>
#include <consistency/data/batches.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// A data set that needs no file: points (n, 2), uniform on the dark squares of a 4 x 4 board. The board is
/// centred and as large as gives either coordinate the standard deviation 0.5. Point i of step k depends on
/// the seed, k and i.
class CheckerboardBatches {
 public:
  static constexpr std::uint32_t squares = 4;               ///< along either side
  static constexpr double half_side = 0.86602540378443865;  ///< 0.5 · √3

  /// Throws config_error for a batch below 1 or above 2^32 - 1.
  CheckerboardBatches(Index batch, Key key) : batch_{batch}, key_{key.with_stream(stream::data_order)} {
    if (counted("CheckerboardBatches", "batch size", batch) < 1)
      fail<config_error>("CheckerboardBatches", "batch size", "0", "1 or more");
  }

  Index batch() const noexcept { return batch_; }

  /// The points of step k = 0, 1, …, (batch, 2). Throws config_error for a step outside 0 to 2^32 - 1.
  Tensor<float> operator()(Index k) const {
    auto const step = counted("CheckerboardBatches", "step", k);
    auto x = Tensor<float>{{batch_, 2}};
    for (Index i = 0; i < batch_; ++i) {
      auto const at = Counter{step, static_cast<std::uint32_t>(i)};
      auto const u = uniform_block<double>(key_, at, 1);
      auto const number = uniform_below(squares * squares / 2, key_, at);  // number of a dark square
      auto const row = number / (squares / 2), column = 2 * (number % (squares / 2)) + row % 2;
      x.mutable_data()[2 * i] = coordinate(column, u[0]);
      x.mutable_data()[2 * i + 1] = coordinate(row, u[1]);
    }
    return x;
  }

  /// True where the board is dark: there the data has all of its mass, evenly.
  static bool dark(double x, double y) {
    return std::abs(x) < half_side && std::abs(y) < half_side && (square(x) + square(y)) % 2 == 0;
  }

 private:
  static float coordinate(std::uint32_t number, double inside) {
    return static_cast<float>(half_side * (2 * (number + inside) / squares - 1));
  }
  static int square(double coordinate) {
    return static_cast<int>((coordinate / half_side + 1) * squares / 2);
  }

  Index batch_;
  Key key_;
};

}  // namespace consistency
