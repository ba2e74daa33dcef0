// SPDX-License-Identifier: MIT
// Pictures of any pixels and extents, legal and not: libpng reads what was written, still and animated.
#include <cstdint>
#include <vector>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  if (size < 4) return 0;
  auto const side = [&](std::size_t i) { return Index{bytes[i] % 67}; };
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size}.substr(3);
  may_fail([&] {
    auto const image = picture(side(0), side(1), bytes[2] % 4, input);
    auto const still = png_pixels(text_of(encode_png(image)));
    require(still == png_pixels(text_of(encode_apng(std::vector{image, image}, 1 + bytes[2], 1))));
    auto const repeat = static_cast<std::size_t>(3 / image.channels);
    require(still.size() == repeat * image.pixels.size());
    for (std::size_t i = 0; i < still.size(); ++i)
      require(static_cast<std::uint8_t>(still[i]) == image.pixels[i / repeat]);
  });
  return 0;
}
