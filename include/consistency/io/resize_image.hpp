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
  static constexpr int fraction_bits = 22;
  struct Pixel {
    Index first;
    std::vector<std::int32_t> weights;  ///< of it and those behind it, times 2^22; they add up to 1 nearly
  };
  std::vector<Pixel> pixels;

  /// Cubic convolution with a = −1/2 (Keys 1981), as wide as the scale where the line shrinks: antialiased.
  ResizeWeights(Index from, Index to) {
    auto const scale = static_cast<double>(from) / static_cast<double>(to);
    auto const wide = std::max(scale, 1.0), reach = 2 * wide;
    std::vector<double> cubics;
    for (Index i = 0; i < to; ++i) {
      auto const centre = (static_cast<double>(i) + 0.5) * scale;
      auto const first = static_cast<Index>(std::max(0.0, std::floor(centre - reach + 0.5)));
      auto const end = std::min(from, static_cast<Index>(std::floor(centre + reach + 0.5)));
      double sum = 0;
      cubics.clear();
      for (Index j = first; j < end; ++j) {
        cubics.push_back(cubic((static_cast<double>(j) + 0.5 - centre) / wide));
        sum += cubics.back();
      }
      Pixel pixel{first, {}};
      for (auto const value : cubics)
        pixel.weights.push_back(static_cast<std::int32_t>(std::lround(value / sum * (1 << fraction_bits))));
      pixels.push_back(std::move(pixel));
    }
  }

  /// Σ weight · byte, rounded, of the bytes that are `stride` apart.
  static std::uint8_t sum(std::vector<std::int32_t> const& weights, std::uint8_t const* from, Index stride) {
    std::int32_t sum = 1 << (fraction_bits - 1);
    for (auto const weight : weights) sum += weight * *from, from += stride;
    return static_cast<std::uint8_t>(std::clamp(sum >> fraction_bits, 0, 255));
  }

 private:
  static double cubic(double x) {
    constexpr auto a = -0.5;
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
};

}  // namespace detail

/// The picture at another size, by cubic convolution with antialiasing, along its lines and then across them:
/// byte by byte what Pillow's BICUBIC gives up to version 12. (From 13 on Pillow may go across first where
/// the height shrinks more than the width.) Throws shape_error for an extent below 1.
inline Image resized(Image const& image, Index height, Index width) {
  image.check();
  auto const c = image.channels;
  Image narrow{.height = image.height, .width = width, .channels = c, .pixels = {}};
  Image result{.height = height, .width = width, .channels = c, .pixels = {}};
  if (height < 1 || width < 1)
    fail<shape_error>("resized", "size", result.text(), "1 pixel or more along both sides");
  narrow.pixels.resize(static_cast<std::size_t>(narrow.height * width * c));
  result.pixels.resize(static_cast<std::size_t>(height * width * c));
  using detail::ResizeWeights;
  ResizeWeights const along{image.width, width}, across{image.height, height};
  auto* to = narrow.pixels.data();
  for (Index y = 0; y < image.height; ++y)
    for (auto const& [first, weights] : along.pixels)
      for (Index k = 0; k < c; ++k)
        *to++ = ResizeWeights::sum(weights, image.pixels.data() + (y * image.width + first) * c + k, c);
  to = result.pixels.data();
  for (auto const& [first, weights] : across.pixels)
    for (Index i = 0; i < width * c; ++i)
      *to++ = ResizeWeights::sum(weights, narrow.pixels.data() + first * width * c + i, width * c);
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
