// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>

#include <consistency/io/torch_parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency::parity {

using X = Tensor<float>;

/// PyTorch's (n, c, h, w) as (n, h, w, c); (n) as (n, 1, 1, 1).
inline X images(TensorEntry const& entry) {
  auto const values = copy_as<double>(entry);
  auto const extent = [&](std::size_t axis) {
    return axis < entry.shape.size() ? static_cast<Index>(entry.shape[axis]) : 1;
  };
  X x{Shape{extent(0), extent(2), extent(3), extent(1)}};
  auto const pixels = extent(2) * extent(3), channels = extent(1);
  for (Index i = 0; i < x.count(); ++i)
    x.mutable_data()[i] = static_cast<float>(values[static_cast<std::size_t>(
        (i / channels / pixels * channels + i % channels) * pixels + i / channels % pixels)]);
  return x;
}

/// Numbers and shape as they are in the file.
inline X as_they_are(TensorEntry const& entry) {
  auto const values = copy_as<double>(entry);
  Shape shape;
  for (auto const extent : entry.shape) shape.push_back(static_cast<Index>(extent));
  X x{shape};
  for (Index i = 0; i < x.count(); ++i)
    x.mutable_data()[i] = static_cast<float>(values[static_cast<std::size_t>(i)]);
  return x;
}

/// Root mean square of the difference, relative to that of the second.
inline double deviation(X const& found, X const& expected) {
  double difference = 0, size = 0;
  for (Index i = 0; i < found.count(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / size);
}

}  // namespace consistency::parity
