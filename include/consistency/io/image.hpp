// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// One picture: 0..255, (height, width, channels), 1 channel is grey, 3 are red, green, blue, and the fourth
/// of 4 is opacity.
struct Image {
  static constexpr Index largest_side = 1'000'000;
  static constexpr Index most_pixels = Index{1} << 28U;  ///< of a file that is read

  Index height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;

  /// Throws shape_error for an extent that no picture has, or pixels that do not fill it.
  void check() const {
    auto const legal = [](Index side) { return side >= 1 && side <= largest_side; };
    if (!legal(height) || !legal(width) || (channels != 1 && channels != 3 && channels != 4) ||
        pixels.size() != static_cast<std::size_t>(height * width * channels))
      fail<shape_error>("Image", "extents", number_text(pixels.size()) + " bytes for " + text(),
                        "height * width * channels bytes, sides of 1 to 1000000, 1, 3 or 4 channels");
  }

  std::string text() const {  ///< "(28, 28, 1)"
    return "(" + number_text(height) + ", " + number_text(width) + ", " + number_text(channels) + ")";
  }
};

namespace detail {

/// Whether a file of so many bytes can hold the picture that it announces: neither PNG's deflate nor JPEG's
/// shortest codes make a byte into more than about a thousand.
inline bool may_hold(std::size_t bytes, Image const& image) {
  constexpr auto most = Index{1032}, header = Index{1} << 16U;
  return image.height * image.width <= Image::most_pixels &&
         image.height * image.width * image.channels <= most * static_cast<Index>(bytes) + header;
}

}  // namespace detail

/// The byte that shows a value of [-1, 1], clamped: round(127.5 (v + 1)).
inline std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::lround(127.5F * (std::clamp(value, -1.0F, 1.0F) + 1.0F)));
}

namespace detail {

/// `cells` pictures of `size` pixels side by side, zoomed and set apart.
inline Index sheet_side(Index cells, Index size, Index gap, Index zoom) {
  constexpr auto limit = Image::largest_side;  // keeps every product below 10^18
  auto const possible = cells <= limit && size <= limit && zoom <= limit && gap <= limit;
  auto const side = possible ? cells * size * zoom + (cells - 1) * gap : limit + 1;
  if (side > limit)
    fail<config_error>("tile", "size of the sheet",
                       number_text(cells) + " cells of " + number_text(size) + " pixels with zoom " +
                           number_text(zoom) + " and gap " + number_text(gap),
                       "sides of at most " + number_text(limit) + " pixels",
                       "Use fewer images or a smaller zoom.");
  return side;
}

inline void check_tile(std::span<float const> images, Shape shape, Index columns, Index gap, Index zoom) {
  if (shape.rank() != 4 || shape.count() < 1 || (shape[3] != 1 && shape[3] != 3 && shape[3] != 4) ||
      images.size() != static_cast<std::size_t>(shape.count()))
    fail<shape_error>("tile", "images", number_text(images.size()) + " values for " + shape.text(),
                      "n * h * w * c values of shape (n, h, w, 1, 3 or 4), none of them 0");
  if (columns < 1 || gap < 0 || zoom < 1)
    fail<config_error>("tile", "columns, gap, zoom",
                       number_text(columns) + ", " + number_text(gap) + ", " + number_text(zoom),
                       "at least 1, 0, 1");
  auto const bad = std::find_if(images.begin(), images.end(), [](float v) { return !std::isfinite(v); });
  if (bad == images.end()) return;
  auto const position = bad - images.begin(), size = shape.count() / shape[0];
  fail<numeric_error>(
      "tile", "image " + number_text(position / size),
      number_text(*bad) + " at value " + number_text(position % size) + " of " + number_text(size),
      "finite values");
}

}  // namespace detail

/// A sheet of n images (n, h, w, 1, 3 or 4) in [-1, 1], row by row, `gap` white pixels between them, every
/// pixel shown as zoom x zoom. Throws shape_error, config_error, or numeric_error naming the image.
inline Image tile(std::span<float const> images, Shape shape, Index columns, Index gap = 2, Index zoom = 1) {
  detail::check_tile(images, shape, columns, gap, zoom);
  auto const n = shape[0], height = shape[1], width = shape[2], channels = shape[3];
  columns = std::min(columns, n);
  auto const rows = (n - 1) / columns + 1;
  Image sheet{.height = detail::sheet_side(rows, height, gap, zoom),
              .width = detail::sheet_side(columns, width, gap, zoom),
              .channels = channels,
              .pixels = {}};
  constexpr auto white = std::uint8_t{255};
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height * sheet.width * channels), white);

  auto value = images.begin();
  for (Index i = 0; i < n; ++i) {
    auto const top = i / columns * (height * zoom + gap), left = i % columns * (width * zoom + gap);
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x)
        for (Index c = 0; c < channels; ++c) {
          auto const byte = to_byte(*value++);
          for (Index row = top + y * zoom; row < top + (y + 1) * zoom; ++row)
            for (Index column = left + x * zoom; column < left + (x + 1) * zoom; ++column)
              sheet.pixels[static_cast<std::size_t>((row * sheet.width + column) * channels + c)] = byte;
        }
  }
  return sheet;
}

}  // namespace consistency
