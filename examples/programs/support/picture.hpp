// SPDX-License-Identifier: MIT
#pragma once

// Samples as pictures: images side by side, points as dots.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <consistency/io/image.hpp>
#include <consistency/tensor/tensor.hpp>

namespace example {

using consistency::Image;
using consistency::Index;
using consistency::Tensor;

/// Images (n, h, w, c) as a sheet, `columns` in a row.
inline Image sheet(Tensor<float> const& samples, Index columns, Index zoom) {
  return tile(samples.values(), samples.shape(), columns, 2, zoom);
}

namespace detail {

inline void dot(Image& image, double x, double y, double radius) {
  constexpr auto ink = std::array{24.0, 60.0, 150.0};
  constexpr auto opacity = 0.55;
  auto const near = std::abs(x) < 1e6 && std::abs(y) < 1e6;
  if (!near) return;
  auto const reach = static_cast<Index>(radius) + 1;
  auto const cx = static_cast<Index>(x), cy = static_cast<Index>(y);
  for (Index row = std::max<Index>(0, cy - reach); row <= std::min(image.height - 1, cy + reach); ++row)
    for (Index column = std::max<Index>(0, cx - reach); column <= std::min(image.width - 1, cx + reach);
         ++column) {
      auto const distance =
          std::hypot(static_cast<double>(column) + 0.5 - x, static_cast<double>(row) + 0.5 - y);
      auto const cover = opacity * std::clamp(radius + 0.5 - distance, 0.0, 1.0);
      for (std::size_t c = 0; c < 3; ++c) {
        auto& pixel = image.pixels[static_cast<std::size_t>((row * image.width + column) * 3) + c];
        pixel = static_cast<std::uint8_t>(std::lround((1 - cover) * pixel + cover * ink[c]));
      }
    }
}

}  // namespace detail

/// Points (n, 2) as translucent dots over the region where the data lies: dark(x, y).
inline Image scatter(Tensor<float> const& samples, Index zoom, auto const& dark) {
  constexpr auto reach = 1.1;  // shown: [-reach, reach]²
  auto const side = 160 * zoom;
  auto const scale = static_cast<double>(side) / (2 * reach);
  Image image{.height = side, .width = side, .channels = 3, .pixels = {}};
  for (Index y = 0; y < side; ++y)
    for (Index x = 0; x < side; ++x) {
      auto const inside = dark((static_cast<double>(x) + 0.5) / scale - reach,
                               reach - (static_cast<double>(y) + 0.5) / scale);
      for (auto const shade : inside ? std::array{222, 228, 240} : std::array{255, 255, 255})
        image.pixels.push_back(static_cast<std::uint8_t>(shade));
    }
  for (Index i = 0; i < samples.shape()[0]; ++i)
    detail::dot(image, (reach + samples[2 * i]) * scale, (reach - samples[2 * i + 1]) * scale,
                0.5 + 0.45 * static_cast<double>(zoom));
  return image;
}

}  // namespace example
