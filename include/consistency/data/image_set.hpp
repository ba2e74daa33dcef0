// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Images of one size, as a data set stores them: 0..255, (count, height, width, channels).
struct ImageSet {
  Index count = 0, height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;  ///< one per image, or none at all

  Index image_size() const { return height * width * channels; }  ///< bytes per image

  /// Throws dataset_error for an extent below 1, pixels that do not fill the extents, or labels that are not
  /// one per image.
  void check() const {
    auto const extents = std::array{count, height, width, channels};
    if (*std::min_element(extents.begin(), extents.end()) < 1)
      fail<dataset_error>("ImageSet", "extents", text(), "1 or more along every axis", advice);
    std::array<std::uint64_t, 4> factors{};
    std::copy(extents.begin(), extents.end(), factors.begin());
    auto const size = checked_product(factors);
    if (!size || *size != pixels.size())
      fail<dataset_error>(
          "ImageSet", "pixels", number_text(pixels.size()) + " bytes for " + text(),
          size ? number_text(*size) + " bytes, the product of the extents" : "a size that can exist", advice);
    if (!labels.empty() && labels.size() != static_cast<std::size_t>(count))
      fail<dataset_error>("ImageSet", "labels", number_text(labels.size()) + " for " + text(),
                          "one per image, or none", advice);
  }

  std::string text() const {  ///< "60000 images (28, 28, 1)"
    return number_text(count) + " images (" + number_text(height) + ", " + number_text(width) + ", " +
           number_text(channels) + ")";
  }

  /// Pixels of one image. Throws shape_error for a number outside 0..count-1, and as `check` does.
  std::span<std::uint8_t const> image(Index number) const {
    check();
    if (number < 0 || number >= count)
      fail<shape_error>("ImageSet", "image number", number_text(number), "0 to " + number_text(count - 1));
    auto const size = static_cast<std::size_t>(image_size());
    return std::span{pixels}.subspan(static_cast<std::size_t>(number) * size, size);
  }

 private:
  static constexpr auto advice = "Is every image there, and all of one size?";
};

}  // namespace consistency
