// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <png.h>
#include <zlib.h>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/io/apng.hpp>
#include <consistency/io/cifar10.hpp>
#include <consistency/io/idx.hpp>
#include <consistency/io/npz.hpp>
#include <consistency/io/png.hpp>
#include <consistency/io/safetensors.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/mlp.hpp>

namespace consistency::attack {

inline std::string text_of(ByteView bytes) { return std::string{bytes_text(bytes)}; }

/// `text` as a .gz file of one member.
inline std::string gzipped(std::string_view text) {
  auto stream = z_stream{};
  ::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

/// An IDX file of bytes: extents big-endian, then `values`.
inline std::string idx(std::vector<std::uint32_t> const& extents, std::string_view values, char code = 8) {
  auto file = std::string{'\0', '\0', code, static_cast<char>(extents.size())};
  for (auto const extent : extents)
    for (auto shift = 24; shift >= 0; shift -= 8)
      file += static_cast<char>(extent >> static_cast<unsigned>(shift));
  return file.append(values);
}

/// A safetensors file with any header.
inline std::string safetensors(std::string_view header, std::string_view data = {}) {
  Bytes length;
  append_little(length, std::uint64_t{header.size()});
  return text_of(length).append(header).append(data);
}

/// A zip archive of files that are stored as they are.
inline std::string zip_archive(
    std::initializer_list<std::pair<std::string_view, std::string_view>> const& contents) {
  Bytes archive, directory;
  std::uint16_t files = 0;
  auto const text = [](Bytes& to, std::string_view from) {
    auto const bytes = text_bytes(from);
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  auto const add = [&](std::string_view name, std::string_view data) {
    auto const offset = static_cast<std::uint32_t>(archive.size()),
               length = static_cast<std::uint32_t>(data.size());
    for (auto* const to : {&archive, &directory}) {
      text(*to, to == &archive ? "PK\3\4" : "PK\1\2");
      to->resize(to->size() + (to == &archive ? 14 : 16));  // versions, flags, method: stored, time, checksum
      append_little(*to, length);
      append_little(*to, length);
      append_little(*to, static_cast<std::uint16_t>(name.size()));
      append_little(*to, std::uint16_t{0});
      if (to == &directory) {
        to->resize(to->size() + 10);
        append_little(*to, offset);
      }
      text(*to, name);
    }
    text(archive, data);
    ++files;
  };
  for (auto const& [name, data] : contents) add(name, data);
  auto const begin = static_cast<std::uint32_t>(archive.size());
  archive.insert(archive.end(), directory.begin(), directory.end());
  text(archive, "PK\5\6");
  archive.resize(archive.size() + 4);
  append_little(archive, files);
  append_little(archive, files);
  append_little(archive, static_cast<std::uint32_t>(directory.size()));
  append_little(archive, begin);
  append_little(archive, std::uint16_t{0});
  return text_of(archive);
}

/// A PyTorch file of this pickle and one storage.
inline std::string torch_archive(std::string_view pickle, std::string_view storage) {
  return zip_archive({{"a/data.pkl", pickle}, {"a/data/0", storage}});
}
/// A NumPy archive of one array, a .npy file.
inline std::string npz_archive(std::string_view array) { return zip_archive({{"mu.npy", array}}); }

/// The pixels of a PNG file as libpng sees them; throws format_error where libpng cannot read it.
inline std::string png_pixels(std::string_view file) {
  auto picture = png_image{};
  picture.version = PNG_IMAGE_VERSION;
  std::string pixels;
  auto read = ::png_image_begin_read_from_memory(&picture, file.data(), file.size()) != 0;
  if (read) {
    picture.format = PNG_FORMAT_RGB;
    pixels.resize(PNG_IMAGE_SIZE(picture));
    read = ::png_image_finish_read(&picture, nullptr, pixels.data(), 0, nullptr) != 0;
  }
  ::png_image_free(&picture);
  if (!read) fail<format_error>("PNG", picture.message, "", "");
  return pixels;
}

/// A picture of w × h pixels whose values begin with `bytes`.
inline Image picture(Index height, Index width, Index channels, std::string_view bytes) {
  auto image = Image{height, width, channels, {}};
  image.pixels.resize(static_cast<std::size_t>(height * width * channels));
  for (std::size_t i = 0; i < image.pixels.size() && !bytes.empty(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(bytes[i % bytes.size()]);
  return image;
}

inline Mlp const& tiny_network() {
  static auto const network = Mlp{{.dimensions = 2, .width = 2, .layers = 1, .embedding = 2}};
  return network;
}

}  // namespace consistency::attack
