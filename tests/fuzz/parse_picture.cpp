// SPDX-License-Identifier: MIT
// Any bytes as a PNG or JPEG file.
#include <cstdint>

#include <consistency/io/image_folder.hpp>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  auto const input = std::as_bytes(std::span{bytes, size});
  auto const look = [](Image const& image) {
    image.check();
    if (image.height * image.width < 10'000)
      require(resized(centre_cropped(image, 3, 2), 3, 2).pixels.size() ==
              6U * static_cast<unsigned>(image.channels));
  };
  if (size > 8192) return 0;  // so that no picture that a file can hold is large
  may_fail([&] { look(decode_png(input, "png")); });
  may_fail([&] { look(decode_jpeg(input, "jpeg")); });
  return 0;
}
