// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image.hpp>
#include <consistency/io/png.hpp>

namespace consistency {

namespace detail {

/// Calls visit(type, data) for every chunk of a file of encode_png.
template <class Visit>
void for_each_png_chunk(ByteView file, Visit const& visit) {
  constexpr auto signature_size = std::size_t{8}, frame_size = std::size_t{12};
  for (auto rest = file.subspan(signature_size); rest.size() >= frame_size;) {
    auto const size = std::size_t{load_big<std::uint32_t>(rest)};
    visit(bytes_text(rest.subspan(4, 4)), rest.subspan(8, size));
    rest = rest.subspan(frame_size + size);
  }
}

class ApngWriter {
 public:
  explicit ApngWriter(std::uint32_t frames) : frames_{frames} {}

  void frame(Image const& image, std::uint16_t milliseconds) {
    auto const png = encode_png(image);
    auto const first = file_.empty();
    if (first) file_.assign(png.begin(), png.begin() + 8);
    auto started = false;
    for_each_png_chunk(png, [&](std::string_view type, ByteView data) {
      auto const pixels = type == "IDAT";
      if (type == "IEND" || (!pixels && !first)) return;
      if (pixels && !started) control(image, milliseconds, first);
      started = started || pixels;
      if (first) {
        append_png_chunk(file_, type, data);
      } else {
        Bytes numbered;
        append_big(numbered, sequence_++);
        numbered.insert(numbered.end(), data.begin(), data.end());
        append_png_chunk(file_, "fdAT", numbered);
      }
    });
  }

  Bytes finish() && {
    append_png_chunk(file_, "IEND", {});
    return std::move(file_);
  }

 private:
  // fcTL before every frame's pixels; acTL once, before the first of them.
  void control(Image const& image, std::uint16_t milliseconds, bool first) {
    constexpr auto for_ever = std::uint32_t{0};
    Bytes data;
    if (first) {
      append_big(data, frames_);
      append_big(data, for_ever);
      append_png_chunk(file_, "acTL", data);
      data.clear();
    }
    append_big(data, sequence_++);
    append_big(data, static_cast<std::uint32_t>(image.width));
    append_big(data, static_cast<std::uint32_t>(image.height));
    append_big(data, std::uint64_t{0});  // x and y offset
    append_big(data, milliseconds);
    append_big(data, std::uint16_t{1000});
    append_big(data, std::uint16_t{0});  // leave the canvas as it is; overwrite it
    append_png_chunk(file_, "fcTL", data);
  }

  std::uint32_t frames_, sequence_ = 0;
  Bytes file_;
};

}  // namespace detail

/// An animated PNG that loops for ever; viewers without animation show the first frame. Times are 1 to 65535.
/// Throws config_error (no frames, times), shape_error (frames of different size), or as encode_png does.
inline Bytes encode_apng(std::span<Image const> frames, int milliseconds_per_frame,
                         int last_frame_milliseconds) {
  if (frames.empty() || frames.size() > 0x7fffffffU)
    fail<config_error>("encode_apng", "number of frames", number_text(frames.size()), "1 to 2147483647");
  for (auto const time : {milliseconds_per_frame, last_frame_milliseconds})
    if (time < 1 || time > 65535)
      fail<config_error>("encode_apng", "milliseconds of a frame", number_text(time), "1 to 65535");
  auto const& first = frames.front();
  for (auto const& frame : frames)
    if (frame.height != first.height || frame.width != first.width || frame.channels != first.channels)
      fail<shape_error>("encode_apng", "frame " + number_text(&frame - &first), frame.text(),
                        first.text() + ", the size of the first frame");

  auto writer = detail::ApngWriter{static_cast<std::uint32_t>(frames.size())};
  for (auto const& frame : frames)
    writer.frame(frame, static_cast<std::uint16_t>(&frame == &frames.back() ? last_frame_milliseconds
                                                                            : milliseconds_per_frame));
  return std::move(writer).finish();
}

/// Writes an animated PNG atomically. Throws as encode_apng does, or io_error.
inline void write_apng(std::filesystem::path const& path, std::span<Image const> frames,
                       int milliseconds_per_frame, int last_frame_milliseconds) {
  write_file_atomically(path, encode_apng(frames, milliseconds_per_frame, last_frame_milliseconds));
}

}  // namespace consistency
