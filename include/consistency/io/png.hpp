// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <png.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image.hpp>

namespace consistency {

/// The picture as an 8-bit grey or RGB PNG file. Throws shape_error (extents) or resource_error (libpng).
inline Bytes encode_png(Image const& image) {
  image.check();
  auto size = ::png_alloc_size_t{0};
  for (;;) {
    ::png_image plan{};
    plan.version = PNG_IMAGE_VERSION;
    plan.width = static_cast<::png_uint_32>(image.width);
    plan.height = static_cast<::png_uint_32>(image.height);
    plan.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    if (size == 0) size = PNG_IMAGE_PNG_SIZE_MAX(plan);
    Bytes file(size);
    auto const whole =
        ::png_image_write_to_memory(&plan, file.data(), &size, 0, image.pixels.data(), 0, nullptr);
    if (whole == 0 && size > file.size()) continue;  // libpng has found out how much it needs
    if (whole == 0)
      fail<resource_error>("encode_png", "libpng failed", std::string{plan.message} + " for " + image.text(),
                           "a picture that fits one file");
    file.resize(size);
    return file;
  }
}

/// Writes a PNG file atomically. Throws as encode_png does, or io_error.
inline void write_png(std::filesystem::path const& path, Image const& image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace consistency
