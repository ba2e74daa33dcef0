// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <new>
#include <string>

#include <png.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

inline ::png_uint_32 png_format(Index channels) {
  return channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
}

}  // namespace detail

/// The picture as an 8-bit grey, RGB or RGBA PNG file. Throws shape_error (extents) or resource_error
/// (libpng).
inline Bytes encode_png(Image const& image) {
  image.check();
  auto size = ::png_alloc_size_t{0};
  for (;;) {
    ::png_image plan{};
    plan.version = PNG_IMAGE_VERSION;
    plan.width = static_cast<::png_uint_32>(image.width);
    plan.height = static_cast<::png_uint_32>(image.height);
    plan.format = detail::png_format(image.channels);
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

inline bool is_png(ByteView bytes) { return bytes_text(bytes).starts_with("\x89PNG\r\n\x1a\n"); }

/// A PNG file of any kind as 8-bit grey, RGB, or RGBA where it has transparency: palettes are expanded, 16
/// bits rounded to 8. `name` is for messages. Throws format_error (not PNG, damaged, truncated, beyond
/// Image::most_pixels) or resource_error.
inline Image decode_png(ByteView file, std::string const& name) {
  if (!is_png(file)) {
    auto const kind = recognise(file);
    fail<format_error>(name, "not a PNG file", kind.name.empty() ? "other data" : std::string{kind.name},
                       "the signature of PNG", std::string{kind.advice});
  }
  ::png_image plan{};
  plan.version = PNG_IMAGE_VERSION;
  auto const check = [&](int done) {
    if (done != 0) return;
    auto const why = std::string{plan.message};
    ::png_image_free(&plan);
    fail<format_error>(name, "PNG file", printable(why), "a whole PNG file", "Fetch the file again.");
  };
  check(::png_image_begin_read_from_memory(&plan, file.data(), file.size()));
  plan.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits are meant as 8 are
  auto const alpha = (plan.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  auto const colour = (plan.format & PNG_FORMAT_FLAG_COLOR) != 0;
  Image image{.height = plan.height,
              .width = plan.width,
              .channels = alpha    ? 4
                          : colour ? 3
                                   : 1,
              .pixels = {}};
  if (!detail::may_hold(file.size(), image)) {
    ::png_image_free(&plan);
    fail<format_error>(name, "size of a PNG file", image.text(),
                       "a picture that its " + number_text(file.size()) + " bytes can hold, of " +
                           number_text(Image::most_pixels) + " pixels at most");
  }
  try {
    image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  } catch (std::bad_alloc const&) {
    ::png_image_free(&plan);
    detail::fail_memory(name, "a picture too large to hold");
  }
  plan.format = detail::png_format(image.channels);
  check(::png_image_finish_read(&plan, nullptr, image.pixels.data(), 0, nullptr));
  return image;
}

/// Throws as decode_png does, or io_error.
inline Image read_png(std::filesystem::path const& path) {
  return decode_png(read_file(path), path.string());
}

}  // namespace consistency
