#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Images of one size, as a data set stores them: 0..255, (count, height, width, channels).
struct ImageSet {
  Index count = 0, height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;  ///< one per image, or none at all

  Index image_size() const { return height * width * channels; }  ///< bytes per image

  /// Pixels of one image. Throws shape_error for a number outside 0..count-1.
  std::span<std::uint8_t const> image(Index number) const {
    if (number < 0 || number >= count)
      throw shape_error{{.where = "ImageSet",
                         .what = "image number",
                         .found = number_text(number),
                         .expected = "0 to " + number_text(count - 1),
                         .advice = ""}};
    auto const size = static_cast<std::size_t>(image_size());
    return std::span{pixels}.subspan(static_cast<std::size_t>(number) * size, size);
  }
};

}  // namespace consistency
