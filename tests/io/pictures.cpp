// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <jpeglib.h>
#include <png.h>

#include <consistency/io/cifar10.hpp>
#include <consistency/io/image_cache.hpp>

#include "../support/fails.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Image pattern(Index height, Index width, Index channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  for (Index i = 0; i < height * width * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(i * i * 31 % 251));
  return image;
}
Image one_colour(Index height, Index width, std::vector<std::uint8_t> const& colour) {
  Image image{.height = height, .width = width, .channels = static_cast<Index>(colour.size()), .pixels = {}};
  for (Index i = 0; i < height * width; ++i)
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  return image;
}

/// A PNG file of libpng's own making, of any kind.
Bytes png_of(Index height, Index width, int depth, int type, int interlace, std::vector<std::uint8_t> rows) {
  Bytes file;
  auto* const png = ::png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = ::png_create_info_struct(png);
  auto* out = png;
  ::png_set_write_fn(
      png, &file,
      [](::png_structp of, ::png_bytep bytes, std::size_t count) {
        auto const part = std::as_bytes(std::span{bytes, count});
        auto& to = *static_cast<Bytes*>(::png_get_io_ptr(of));
        to.insert(to.end(), part.begin(), part.end());
      },
      [](::png_structp) {});
  ::png_set_IHDR(png, info, static_cast<::png_uint_32>(width), static_cast<::png_uint_32>(height), depth,
                 type, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  auto const palette = std::array<::png_color, 2>{{{10, 20, 30}, {200, 100, 50}}};
  if (type == PNG_COLOR_TYPE_PALETTE) ::png_set_PLTE(png, info, palette.data(), 2);
  ::png_write_info(png, info);
  std::vector<::png_bytep> lines;
  auto const stride = rows.size() / static_cast<std::size_t>(height);
  for (Index y = 0; y < height; ++y) lines.push_back(rows.data() + static_cast<std::size_t>(y) * stride);
  ::png_write_image(png, lines.data());
  ::png_write_end(png, nullptr);
  ::png_destroy_write_struct(&out, &info);
  return file;
}

/// A JPEG file of quality 100 of grey, RGB, or CMYK pixels.
Bytes jpeg_of(Image const& image) {
  ::jpeg_compress_struct encoder{};
  ::jpeg_error_mgr errors{};
  encoder.err = ::jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ::jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_width = static_cast<JDIMENSION>(image.width);
  encoder.image_height = static_cast<JDIMENSION>(image.height);
  encoder.input_components = static_cast<int>(image.channels);
  encoder.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : image.channels == 3 ? JCS_RGB : JCS_CMYK;
  ::jpeg_set_defaults(&encoder);
  ::jpeg_set_quality(&encoder, 100, TRUE);
  ::jpeg_start_compress(&encoder, TRUE);
  for (Index y = 0; y < image.height; ++y) {
    auto* row =
        const_cast<JSAMPLE*>(image.pixels.data() + y * image.width * image.channels);  // libjpeg only reads
    ::jpeg_write_scanlines(&encoder, &row, 1);
  }
  ::jpeg_finish_compress(&encoder);
  auto const part = std::as_bytes(std::span{bytes, size});
  Bytes file{part.begin(), part.end()};
  ::jpeg_destroy_compress(&encoder);
  std::free(bytes);
  return file;
}

}  // namespace

TEST_CASE("PNG files of 1, 3 and 4 channels come back as they were written") {
  for (Index const channels : {1, 3, 4}) {
    auto const image = pattern(7, 13, channels);
    auto const back = decode_png(encode_png(image), "p");
    CHECK(back.text() == image.text());
    CHECK(back.pixels == image.pixels);
  }
}

TEST_CASE("PNG files with a palette, interlaced, and of 16 bits are read as 8-bit pixels") {
  auto const palette =
      decode_png(png_of(1, 3, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE, {0, 1, 0}), "p");
  CHECK(palette.pixels == std::vector<std::uint8_t>{10, 20, 30, 200, 100, 50, 10, 20, 30});
  auto const image = pattern(9, 11, 3);
  CHECK(decode_png(png_of(9, 11, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7, image.pixels), "p").pixels ==
        image.pixels);
  auto const deep =
      decode_png(png_of(1, 2, 16, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, {0x80, 0x80, 0xff, 0xff}), "p");
  CHECK(deep.pixels == std::vector<std::uint8_t>{128, 255});
}

TEST_CASE("a PNG file that is cut or changed is an error that names it") {
  auto const whole = encode_png(pattern(20, 20, 3));
  for (std::size_t size = 0; size + 12 < whole.size(); size += 5)
    check_fails<ErrorCode::format>([&] { decode_png(ByteView{whole}.first(size), "cut.png"); },
                                   {"cut.png", "PNG file"});
  auto changed = whole;
  changed[whole.size() / 2] ^= std::byte{1};
  check_fails<ErrorCode::format>([&] { decode_png(changed, "changed.png"); }, {"changed.png"});
  check_fails<ErrorCode::format>([&] { decode_png(jpeg_of(pattern(8, 8, 3)), "x.png"); }, {"not a PNG file"});
}

TEST_CASE("JPEG files are read to the rounding of their format") {
  for (auto const& image : {one_colour(8, 12, {90}), one_colour(8, 12, {200, 40, 90})}) {
    auto const back = decode_jpeg(jpeg_of(image), "p");
    CHECK(back.text() == image.text());
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      CHECK(std::abs(int{back.pixels[i]} - image.pixels[i]) <= 2);
  }
}

TEST_CASE("JPEG files that are cut, or of four colours, are errors that name them") {
  auto const whole = jpeg_of(pattern(24, 24, 3));
  for (std::size_t size = 3; size + 2 < whole.size(); size += 7)
    check_fails<ErrorCode::format>([&] { decode_jpeg(ByteView{whole}.first(size), "cut.jpg"); },
                                   {"cut.jpg", "JPEG file"});
  check_fails<ErrorCode::format>([] { decode_jpeg(jpeg_of(pattern(8, 8, 4)), "print.jpg"); },
                                 {"print.jpg", "CMYK", "Convert it to RGB"});
  check_fails<ErrorCode::format>([] { decode_jpeg(encode_png(pattern(8, 8, 3)), "x.jpg"); },
                                 {"not a JPEG file"});
}

TEST_CASE("resizing keeps one colour, linear shades and the mean, and nothing at its own size") {
  auto const image = pattern(16, 12, 3);
  CHECK(resized(image, 16, 12).pixels == image.pixels);
  CHECK(resized(one_colour(9, 7, {77, 1, 255}), 20, 3).pixels == one_colour(20, 3, {77, 1, 255}).pixels);
  Image ramp{.height = 1, .width = 64, .channels = 1, .pixels = {}};
  for (Index i = 0; i < 64; ++i) ramp.pixels.push_back(static_cast<std::uint8_t>(4 * i));
  auto const half = resized(ramp, 1, 32);
  for (Index i = 4; i < 28; ++i) CHECK(half.pixels[static_cast<std::size_t>(i)] == 8 * i + 2);
  auto const small = resized(image, 4, 3);
  double before = 0, after = 0;
  for (auto const pixel : image.pixels) before += pixel / static_cast<double>(image.pixels.size());
  for (auto const pixel : small.pixels) after += pixel / static_cast<double>(small.pixels.size());
  CHECK(std::abs(before - after) < 4);
  check_fails<ErrorCode::shape>([&] { resized(image, 0, 3); }, {"resized", "(0, 3, 3)"});
}

TEST_CASE("resizing gives the bytes of Pillow's BICUBIC, lines first") {
  Image image{.height = 5, .width = 7, .channels = 1, .pixels = {}};
  for (int i = 0; i < 35; ++i) image.pixels.push_back(static_cast<std::uint8_t>((97 * i + 11) % 256));
  CHECK(resized(image, 3, 4).pixels ==
        std::vector<std::uint8_t>{79, 135, 127, 176, 107, 102, 146, 141, 72, 121, 113, 169});
  CHECK(resized(image, 7, 3).pixels == std::vector<std::uint8_t>{89,  128, 159, 94,  130, 167, 104,
                                                                 130, 161, 114, 124, 134, 87,  118,
                                                                 144, 81,  118, 154, 89,  120, 159});
}

TEST_CASE("the largest centred part of another aspect is cut out") {
  auto const image = pattern(10, 6, 1);
  auto const square = centre_cropped(image, 3, 3);
  CHECK(square.text() == "(6, 6, 1)");
  CHECK(square.pixels.front() == image.pixels[2 * 6]);
  CHECK(centre_cropped(image, 5, 3).pixels == image.pixels);
  CHECK(centre_cropped(pattern(4, 9, 3), 1, 1).text() == "(4, 4, 3)");
}

TEST_CASE("transparency is laid over the background, and colours become grey") {
  auto const half = one_colour(1, 1, {200, 100, 0, 128});
  CHECK(with_channels(half, 3, {255, 255, 255}).pixels == std::vector<std::uint8_t>{227, 177, 127});
  CHECK(with_channels(half, 3, {0, 0, 0}).pixels == std::vector<std::uint8_t>{100, 50, 0});
  CHECK(with_channels(one_colour(1, 1, {255, 0, 0}), 1, {}).pixels == std::vector<std::uint8_t>{76});
  CHECK(with_channels(one_colour(1, 1, {9}), 4, {}).pixels == std::vector<std::uint8_t>{9, 9, 9, 255});
}

TEST_CASE("a folder's pictures come in the order of their names, sub-folders are classes") {
  TempFolder const folder;
  for (auto const* const name : {"b", "a"}) std::filesystem::create_directory(folder / name);
  write_png(folder / "a" / "2.png", one_colour(4, 4, {20, 20, 20}));
  write_file_atomically(folder / "a" / "1.jpg", jpeg_of(one_colour(4, 4, {10, 10, 10})));
  write_png(folder / "b" / "x", one_colour(4, 4, {30, 30, 30}));
  write_file_atomically(folder / "b" / ".hidden", text_bytes("no picture"));
  Index told = 0;
  auto const set =
      read_image_folder(folder.path(), {}, [&](Index done, Index all) { told = done == all ? done : -1; });
  CHECK(set.text() == "3 images (4, 4, 3)");
  CHECK(set.labels == std::vector<std::uint8_t>{0, 0, 1});
  CHECK(std::abs(int{set.image(0)[0]} - 10) <= 1);
  CHECK(set.image(1)[0] == 20);
  CHECK(set.image(2)[0] == 30);
  CHECK(told == 3);
  CHECK(ImageFolderListing::of(folder.path()).classes == std::vector<std::string>{"a", "b"});
  auto const grey = read_image_folder(folder.path(), {.height = 2, .width = 3, .channels = 1});
  CHECK(grey.text() == "3 images (2, 3, 1)");
  CHECK(grey.image(2)[0] == 30);
}

TEST_CASE("folders that are no data set are rejected with what is wrong, and where") {
  TempFolder const folder;
  auto const read = [&] { read_image_folder(folder.path()); };
  check_fails<ErrorCode::dataset>(read, {folder.path().string(), "empty folder"});
  write_png(folder / "a.png", one_colour(4, 4, {20, 20, 20}));
  write_png(folder / "b.png", one_colour(4, 5, {20, 20, 20}));
  check_fails<ErrorCode::dataset>(read,
                                  {"b.png", "two sizes", "(4, 5, 3)", "(4, 4, 3) as a.png has", "--size"});
  write_file_atomically(folder / "b.png", text_bytes("text"));
  check_fails<ErrorCode::format>(read, {"b.png", "kind of picture"});
  std::filesystem::remove(folder / "b.png");
  std::filesystem::create_directory(folder / "class");
  check_fails<ErrorCode::dataset>(read, {"pictures beside folders", "a.png and class/"});
  std::filesystem::remove(folder / "a.png");
  check_fails<ErrorCode::dataset>(read, {"class", "no picture in it"});
  check_fails<ErrorCode::io>([&] { read_image_folder(folder / "nowhere"); }, {"nowhere", "No such file"});
  check_fails<ErrorCode::config>([&] { read_image_folder(folder.path(), {.channels = 2}); },
                                 {"channels", "2"});
}

TEST_CASE(
    "decoded pictures are kept, and read anew when a file or the settings change or the cache is damaged") {
  TempFolder const folder, other;
  auto const cache = other / "images.safetensors";
  write_png(folder / "a.png", one_colour(4, 4, {20, 20, 20}));
  auto decoded = 0;
  auto const read = [&](ImageFolderSettings const& settings = {}) {
    decoded = 0;
    return read_image_folder(folder.path(), settings, cache, [&](Index, Index) { ++decoded; });
  };
  auto const first = read();
  CHECK(decoded == 1);
  CHECK(read().pixels == first.pixels);
  CHECK(decoded == 0);
  CHECK(read({.channels = 1}).channels == 1);
  CHECK(decoded == 1);
  write_png(folder / "b.png", one_colour(4, 4, {30, 30, 30}));
  CHECK(read().count == 2);
  CHECK(decoded == 1);
  auto bytes = read_file(cache);
  bytes.back() ^= std::byte{1};
  write_file_atomically(cache, bytes);
  CHECK(read().image(1)[0] == 30);
  CHECK(decoded == 1);
}

TEST_CASE("the folder of CIFAR-10 lacks no batch, and each has its 10,000 records") {
  TempFolder const folder;
  check_fails<ErrorCode::dataset>(
      [&] { read_cifar10_folder(folder.path(), Cifar10Split::train); },
      {"data_batch_1.bin", "no file", "data_batch_5.bin", "c32a1d4ab5d03f1284b67883e8d87530"});
  Bytes batch(std::size_t{10000} * 3073);
  batch[0] = std::byte{7};
  write_file_atomically(folder / "test_batch.bin", batch);
  auto const set = read_cifar10_folder(folder.path(), Cifar10Split::test);
  CHECK(set.text() == "10000 images (32, 32, 3)");
  CHECK(set.labels.front() == 7);
  write_file_atomically(folder / "test_batch.bin", ByteView{batch}.first(3073 * 9999));
  check_fails<ErrorCode::dataset>([&] { read_cifar10_folder(folder.path(), Cifar10Split::test); },
                                  {"test_batch.bin", "30726927 bytes", "10,000 records"});
}
