// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <filesystem>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/io/safetensors.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/tensor/cpu.hpp>

// Files with the weights of a network and what its own program makes of them: golden/*.py.
namespace consistency::test {

/// PyTorch's (n, c, h, w) as (n, h, w, c), or (n) as (n, 1, 1, 1).
template <class S>
Tensor<S> from_torch(TensorEntry const& entry) {
  auto const values = copy_as<double>(entry);
  auto const extent = [&](std::size_t axis) {
    return axis < entry.shape.size() ? static_cast<Index>(entry.shape[axis]) : 1;
  };
  auto const channels = extent(1), pixels = extent(2) * extent(3);
  Tensor<S> x{Shape{extent(0), extent(2), extent(3), channels}};
  for (Index i = 0; i < x.count(); ++i) {
    auto const c = i % channels, p = i / channels % pixels, n = i / channels / pixels;
    x.mutable_data()[i] = static_cast<S>(values[static_cast<std::size_t>((n * channels + c) * pixels + p)]);
  }
  return x;
}

/// Root mean square of the difference, relative to that of the second.
template <class S>
double relative_rms(Tensor<S> const& found, Tensor<double> const& expected) {
  REQUIRE(found.shape() == expected.shape());
  double difference = 0, size = 0;
  for (Index i = 0; i < found.count(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

/// The weights of such a file as numbers S.
template <class S>
Parameters<Tensor<S>> golden_weights(std::filesystem::path const& file, auto const& net) {
  auto const theta = read_torch_parameters(file, net.parameters(), {.ignored = {"golden.*"}});
  auto copy = Parameters<Tensor<S>>{net.parameters()};
  for (Index i = 0; i < theta.flat().count(); ++i)
    copy.flat().mutable_data()[i] = static_cast<S>(theta.flat()[i]);
  return copy;
}

}  // namespace consistency::test
