// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include <jpeglib.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

/// A decoder of libjpeg, which leaves its functions by longjmp: nothing with a destructor lives in those that
/// call it.
class JpegDecoder {
 public:
  explicit JpegDecoder(ByteView file) {
    decoder_.err = ::jpeg_std_error(&error_.manager);
    error_.manager.error_exit = [](::j_common_ptr common) { leave(common); };
    error_.manager.emit_message = [](::j_common_ptr common, int level) {
      if (level < 0) leave(common);  // data are missing or damaged
    };
    error_.manager.output_message = [](::j_common_ptr) {};
    begun_ = guarded(
        *this,
        [](JpegDecoder& own, void* bytes) {
          auto const& view = *static_cast<ByteView const*>(bytes);
          jpeg_create_decompress(&own.decoder_);
          ::jpeg_mem_src(&own.decoder_, reinterpret_cast<unsigned char const*>(view.data()), view.size());
          ::jpeg_read_header(&own.decoder_, TRUE);
        },
        &file);
  }
  JpegDecoder(JpegDecoder const&) = delete;
  JpegDecoder& operator=(JpegDecoder const&) = delete;
  ~JpegDecoder() { ::jpeg_destroy_decompress(&decoder_); }

  bool begun() const { return begun_; }  ///< the header was read
  Index height() const { return decoder_.image_height; }
  Index width() const { return decoder_.image_width; }
  int components() const { return decoder_.num_components; }
  std::string_view why() const { return error_.message.data(); }

  /// Decodes into rows of `width · channels` bytes, grey or RGB. False where it fails.
  bool read(std::uint8_t* pixels, Index channels) {
    decoder_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    return guarded(
        *this,
        [](JpegDecoder& own, void* to) {
          auto& d = own.decoder_;
          ::jpeg_start_decompress(&d);
          auto* row = static_cast<JSAMPLE*>(to);
          while (d.output_scanline < d.output_height) {
            ::jpeg_read_scanlines(&d, &row, 1);
            row += static_cast<std::size_t>(d.output_width) * static_cast<std::size_t>(d.output_components);
          }
          ::jpeg_finish_decompress(&d);
        },
        pixels);
  }

 private:
  struct Error {
    ::jpeg_error_mgr manager{};  // first: libjpeg's pointer to it is one to all
    std::jmp_buf back{};
    std::array<char, JMSG_LENGTH_MAX> message{};
  };

  [[noreturn]] static void leave(::j_common_ptr common) {
    auto& error = *reinterpret_cast<Error*>(common->err);
    error.manager.format_message(common, error.message.data());
    std::longjmp(error.back, 1);
  }
  static bool guarded(JpegDecoder& own, void (*action)(JpegDecoder&, void*), void* argument) {
    if (setjmp(own.error_.back) != 0) return false;
    action(own, argument);
    return true;
  }

  ::jpeg_decompress_struct decoder_{};
  Error error_;
  bool begun_ = false;
};

}  // namespace detail

inline bool is_jpeg(ByteView bytes) { return bytes_text(bytes).starts_with("\xff\xd8\xff"); }

/// A JPEG file as grey or RGB. `name` is for messages. Throws format_error: not JPEG, damaged, truncated,
/// four colours (CMYK, YCCK), beyond Image::most_pixels.
inline Image decode_jpeg(ByteView file, std::string const& name) {
  if (!is_jpeg(file)) {
    auto const kind = recognise(file);
    fail<format_error>(name, "not a JPEG file", kind.name.empty() ? "other data" : std::string{kind.name},
                       "the bytes ff d8 ff", std::string{kind.advice});
  }
  detail::JpegDecoder decoder{file};
  auto const damaged = [&] {
    fail<format_error>(name, "JPEG file", printable(decoder.why()), "a whole JPEG file",
                       "Fetch the file again.");
  };
  if (!decoder.begun()) damaged();
  if (decoder.components() != 1 && decoder.components() != 3)
    fail<format_error>(
        name, "colours of a JPEG file",
        number_text(decoder.components()) + (decoder.components() == 4 ? " (CMYK or YCCK)" : ""),
        "1 (grey) or 3", "Convert it to RGB.");
  Image image{
      .height = decoder.height(), .width = decoder.width(), .channels = decoder.components(), .pixels = {}};
  if (!detail::may_hold(file.size(), image))
    fail<format_error>(name, "size of a JPEG file", image.text(),
                       "a picture that its " + number_text(file.size()) + " bytes can hold, of " +
                           number_text(Image::most_pixels) + " pixels at most");
  detail::within_memory(name, [&] {
    image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  });
  if (!decoder.read(image.pixels.data(), image.channels)) damaged();
  return image;
}

/// Throws as decode_jpeg does, or io_error.
inline Image read_jpeg(std::filesystem::path const& path) {
  return decode_jpeg(read_file(path), path.string());
}

}  // namespace consistency
