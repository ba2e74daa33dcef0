// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include <png.h>
#include <zlib.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

/// What a PNG file says of its picture, in ASCII; the keyword has 1 to 79 letters, some are known to all:
/// "Software", "Comment".
struct PngText {
  std::string keyword, text;
};

namespace detail {

inline ::png_uint_32 png_format(Index channels) {
  return channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
}

/// length, type, data, CRC-32 of type and data.
inline void append_png_chunk(Bytes& file, std::string_view type, ByteView data) {
  append_big(file, static_cast<std::uint32_t>(data.size()));
  auto const start = file.size();
  for (auto const part : {text_bytes(type), data}) file.insert(file.end(), part.begin(), part.end());
  auto const covered = ByteView{file}.subspan(start);
  auto const crc =
      ::crc32(0, reinterpret_cast<Bytef const*>(covered.data()), static_cast<uInt>(covered.size()));
  append_big(file, static_cast<std::uint32_t>(crc));
}

/// Keyword, a zero and text of each, as chunks tEXt.
inline Bytes png_text_chunks(std::span<PngText const> texts) {
  Bytes chunks;
  for (auto const& [keyword, text] : texts) {
    auto const is_ascii = [](std::string const& letters) {
      return std::ranges::all_of(letters, [](char c) { return c >= ' ' && c <= '~'; });
    };
    auto const outer_space = keyword.starts_with(' ') || keyword.ends_with(' ');
    if (keyword.empty() || keyword.size() > 79 || !is_ascii(keyword) || outer_space)
      fail<config_error>("encode_png", "keyword of a text", '"' + printable(keyword) + '"',
                         "1 to 79 printable letters of ASCII, no space at an end");
    if (!is_ascii(text))
      fail<config_error>("encode_png", "text " + keyword, printable(text), "printable ASCII");
    auto both = keyword;
    (both += '\0') += text;
    append_png_chunk(chunks, "tEXt", text_bytes(both));
  }
  return chunks;
}

}  // namespace detail

/// The picture as an 8-bit grey, RGB or RGBA PNG file, with texts. Throws shape_error (extents), config_error
/// (texts) or resource_error (libpng).
inline Bytes encode_png(Image const& image, std::span<PngText const> texts = {}) {
  image.check();
  auto const chunks = detail::png_text_chunks(texts);
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
    constexpr auto after_header = 33;  // the signature's 8 bytes and IHDR's 25
    file.insert(file.begin() + after_header, chunks.begin(), chunks.end());
    return file;
  }
}

/// Writes a PNG file atomically. Throws as encode_png does, or io_error.
inline void write_png(std::filesystem::path const& path, Image const& image,
                      std::span<PngText const> texts = {}) {
  write_file_atomically(path, encode_png(image, texts));
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
