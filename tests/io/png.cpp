// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <consistency/io/png.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Image pattern(Index height, Index width, Index channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  auto state = std::uint32_t{1};
  for (Index i = 0; i < height * width * channels; ++i) {
    state = state * 1664525U + 1013904223U;
    image.pixels.push_back(static_cast<std::uint8_t>(state >> 24U));
  }
  return image;
}

Image decoded(ByteView file) {
  ::png_image plan{};
  plan.version = PNG_IMAGE_VERSION;
  REQUIRE(::png_image_begin_read_from_memory(&plan, file.data(), file.size()) != 0);
  Image image{.height = plan.height,
              .width = plan.width,
              .channels = PNG_IMAGE_SAMPLE_CHANNELS(plan.format),
              .pixels = std::vector<std::uint8_t>(PNG_IMAGE_SIZE(plan))};
  REQUIRE(::png_image_finish_read(&plan, nullptr, image.pixels.data(), 0, nullptr) != 0);
  return image;
}

}  // namespace

TEST_CASE("a PNG file decodes to the pixels it was made of") {
  for (Index const channels : {1, 3})
    for (auto const& image :
         {pattern(1, 1, channels), pattern(7, 13, channels), pattern(200, 301, channels)}) {
      auto const back = decoded(encode_png(image));
      CHECK(back.text() == image.text());
      CHECK(back.pixels == image.pixels);
    }
}

TEST_CASE("a PNG file is written to disk") {
  TempFolder const folder;
  auto const image = pattern(5, 4, 3);
  write_png(folder / "image.png", image);
  CHECK(decoded(read_file(folder / "image.png")).pixels == image.pixels);
  CHECK(folder.files() == 1);
}

TEST_CASE("texts of a PNG file are read by libpng, and leave its pixels as they are") {
  auto const image = pattern(5, 4, 3);
  auto const texts = std::vector<PngText>{{"Software", "consistency"}, {"Seed", "7"}, {"Empty", ""}};
  auto const file = encode_png(image, texts);
  CHECK(decoded(file).pixels == image.pixels);

  auto* png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = ::png_create_info_struct(png);
  auto rest = ByteView{file};
  ::png_set_read_fn(png, &rest, [](::png_structp reader, ::png_bytep to, std::size_t size) {
    auto& from = *static_cast<ByteView*>(::png_get_io_ptr(reader));
    std::ranges::copy(from.first(size), reinterpret_cast<std::byte*>(to));
    from = from.subspan(size);
  });
  ::png_read_info(png, info);  // the CRC of each chunk, too
  ::png_textp found = nullptr;
  auto count = 0;
  ::png_get_text(png, info, &found, &count);
  REQUIRE(count == 3);
  for (auto i = std::size_t{0}; i < texts.size(); ++i) {
    CHECK(found[i].key == texts[i].keyword);
    CHECK(found[i].text == texts[i].text);
  }
  ::png_destroy_read_struct(&png, &info, nullptr);
}

TEST_CASE("texts that no PNG file has are rejected") {
  for (auto const& keyword : {"", " Seed", "Seed ", "S\xc3\xa9", "a\nb"})
    check_fails<ErrorCode::config>(
        [&] {
          encode_png(pattern(1, 1, 1), std::array{PngText{keyword, "7"}});
        },
        {"keyword of a text"});
  check_fails<ErrorCode::config>(
      [&] {
        encode_png(pattern(1, 1, 1), std::array{PngText{std::string(80, 'a'), "7"}});
      },
      {"1 to 79"});
  check_fails<ErrorCode::config>(
      [&] {
        encode_png(pattern(1, 1, 1), std::array{PngText{"Seed", "\n"}});
      },
      {"text Seed", "printable ASCII"});
}

TEST_CASE("extents that no PNG file has are rejected") {
  auto image = pattern(2, 2, 3);
  image.pixels.pop_back();
  check_fails<ErrorCode::shape>([&] { encode_png(image); }, {"11 bytes", "(2, 2, 3)"});
  for (auto const& wrong :
       {Image{}, pattern(2, 2, 2), pattern(2, 2, 5), Image{-1, -1, 1, {0}}, Image{1, 2'000'000, 1, {}}})
    check_fails<ErrorCode::shape>([&] { encode_png(wrong); }, {"extents", "1, 3 or 4 channels"});
}

TEST_CASE("values of [-1, 1] become bytes by rounding, and come back") {
  CHECK(to_byte(-1.0F) == 0);
  CHECK(to_byte(0.0F) == 128);
  CHECK(to_byte(1.0F) == 255);
  CHECK(to_byte(-7.0F) == 0);
  CHECK(to_byte(7.0F) == 255);
  for (auto byte = 0; byte < 256; ++byte) CHECK(to_byte(static_cast<float>(byte) / 127.5F - 1.0F) == byte);
}

TEST_CASE("images are laid out row by row with gaps and zoom") {
  // Three grey images of 1 x 2 pixels: black and white, in two columns, gap 1, zoom 2.
  auto const values = std::array{-1.0F, 1.0F, 1.0F, -1.0F, -1.0F, -1.0F};
  auto const sheet = tile(values, {3, 1, 2, 1}, 2, 1, 2);
  CHECK(sheet.text() == "(5, 9, 1)");
  auto const b = std::uint8_t{0}, w = std::uint8_t{255};
  CHECK(sheet.pixels == std::vector<std::uint8_t>{
                            b, b, w, w, w, w, w, b, b,  //
                            b, b, w, w, w, w, w, b, b,  //
                            w, w, w, w, w, w, w, w, w,  //
                            b, b, b, b, w, w, w, w, w,  //
                            b, b, b, b, w, w, w, w, w,  //
                        });
}

TEST_CASE("channels stay together on a sheet, and columns are no more than images") {
  auto const values = std::array{-1.0F, 0.0F, 1.0F, 1.0F, 0.0F, -1.0F};
  auto const sheet = tile(values, {2, 1, 1, 3}, 10, 0);
  CHECK(sheet.text() == "(1, 2, 3)");
  CHECK(sheet.pixels == std::vector<std::uint8_t>{0, 128, 255, 255, 128, 0});
}

TEST_CASE("a value that is not finite is named with its image") {
  std::vector<float> values(3 * 4 * 4, 0.0F);
  for (auto const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    values[2 * 16 + 5] = bad;
    check_fails<ErrorCode::numeric>([&] { tile(values, {3, 4, 4, 1}, 2); }, {"image 2", "value 5 of 16"});
  }
}

TEST_CASE("sheets that cannot be laid out are rejected") {
  std::vector<float> const values(12);
  check_fails<ErrorCode::shape>([&] { tile(values, {3, 4, 4, 1}, 2); }, {"12 values", "(3, 4, 4, 1)"});
  check_fails<ErrorCode::shape>([&] { tile(values, {3, 4}, 2); }, {"(3, 4)"});
  check_fails<ErrorCode::shape>([&] { tile(values, {3, 1, 2, 2}, 2); }, {"1, 3 or 4"});
  check_fails<ErrorCode::shape>([&] { tile({}, {0, 4, 4, 1}, 2); }, {"0 values"});
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 0); }, {"columns", "0, 2, 1"});
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 1, -1); }, {"gap"});
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 1, 0, 0); }, {"zoom"});
  auto const huge = std::numeric_limits<Index>::max();
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 1, 0, huge); }, {"size of the sheet"});
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 1, huge); }, {"size of the sheet"});
  check_fails<ErrorCode::config>([&] { tile(values, {3, 2, 2, 1}, 3, 1, 400'000); }, {"at most 1000000"});
}
