// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/io/image.hpp>

namespace consistency {

namespace detail {

/// Which pixels of a line a pixel of the resized line sums up, and with which weights.
struct ResizeWeights {
  struct Pixel {
    Index first;
    std::vector<double> weights;  ///< of it and those behind it, which add up to 1
  };
  std::vector<Pixel> pixels;

  /// Cubic convolution with a = −1/2 (Keys 1981), as wide as the scale where the line shrinks: antialiased.
  ResizeWeights(Index from, Index to) {
    auto const scale = static_cast<double>(from) / static_cast<double>(to);
    auto const wide = std::max(scale, 1.0), reach = 2 * wide;
    for (Index i = 0; i < to; ++i) {
      auto const centre = (static_cast<double>(i) + 0.5) * scale;
      auto const first = static_cast<Index>(std::max(0.0, std::floor(centre - reach + 0.5)));
      auto const end = std::min(from, static_cast<Index>(std::floor(centre + reach + 0.5)));
      Pixel pixel{first, {}};
      double sum = 0;
      for (Index j = first; j < end; ++j) {
        pixel.weights.push_back(cubic((static_cast<double>(j) + 0.5 - centre) / wide));
        sum += pixel.weights.back();
      }
      for (auto& weight : pixel.weights) weight /= sum;
      pixels.push_back(std::move(pixel));
    }
  }

 private:
  static double cubic(double x) {
    constexpr auto a = -0.5;
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
};

inline std::uint8_t rounded_byte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

}  // namespace detail

/// The picture at another size, by cubic convolution with antialiasing along each axis. Throws shape_error
/// for an extent below 1.
inline Image resized(Image const& image, Index height, Index width) {
  image.check();
  auto const c = image.channels;
  Image narrow{.height = image.height, .width = width, .channels = c, .pixels = {}};
  Image result{.height = height, .width = width, .channels = c, .pixels = {}};
  if (height < 1 || width < 1)
    fail<shape_error>("resized", "size", result.text(), "1 pixel or more along both sides");
  narrow.pixels.resize(static_cast<std::size_t>(narrow.height * width * c));
  result.pixels.resize(static_cast<std::size_t>(height * width * c));
  auto* to = narrow.pixels.data();
  auto const across = detail::ResizeWeights{image.width, width},
             down = detail::ResizeWeights{image.height, height};
  for (Index y = 0; y < image.height; ++y)
    for (auto const& [first, weights] : across.pixels)
      for (Index k = 0; k < c; ++k) {
        auto const* from = image.pixels.data() + (y * image.width + first) * c + k;
        double sum = 0;
        for (auto const weight : weights) sum += weight * *from, from += c;
        *to++ = detail::rounded_byte(sum);
      }
  to = result.pixels.data();
  for (auto const& [first, weights] : down.pixels)
    for (Index i = 0; i < width * c; ++i) {
      auto const* from = narrow.pixels.data() + first * width * c + i;
      double sum = 0;
      for (auto const weight : weights) sum += weight * *from, from += width * c;
      *to++ = detail::rounded_byte(sum);
    }
  return result;
}

/// The largest part of the picture, around its centre, whose sides are as height : width.
inline Image centre_cropped(Image const& image, Index height, Index width) {
  image.check();
  auto const tall = image.height * width >= image.width * height;  // too tall for its width
  auto const round = [](Index a, Index b, Index c) { return std::max<Index>(1, (a * b + c / 2) / c); };
  auto const h = tall ? std::min(image.height, round(image.width, height, width)) : image.height;
  auto const w = tall ? image.width : std::min(image.width, round(image.height, width, height));
  auto const top = (image.height - h) / 2, left = (image.width - w) / 2, c = image.channels;
  Image part{.height = h, .width = w, .channels = c, .pixels = {}};
  for (Index y = 0; y < h; ++y) {
    auto const from = image.pixels.begin() + ((top + y) * image.width + left) * c;
    part.pixels.insert(part.pixels.end(), from, from + w * c);
  }
  return part;
}

}  // namespace consistency
