// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <zlib.h>

#include <consistency/io/apng.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

struct Chunk {
  std::string type;
  Bytes data;
};

/// All chunks, their lengths and checksums verified.
std::vector<Chunk> chunks(ByteView file) {
  REQUIRE(bytes_text(file.first(8)) == "\x89PNG\r\n\x1a\n");
  std::vector<Chunk> found;
  for (auto rest = file.subspan(8); !rest.empty();) {
    REQUIRE(rest.size() >= 12);
    auto const size = std::size_t{load_big<std::uint32_t>(rest)};
    REQUIRE(rest.size() >= size + 12);
    auto const covered = rest.subspan(4, size + 4);
    auto const crc =
        ::crc32(0, reinterpret_cast<Bytef const*>(covered.data()), static_cast<uInt>(covered.size()));
    REQUIRE(crc == load_big<std::uint32_t>(rest.subspan(size + 8)));
    auto const data = rest.subspan(8, size);
    found.push_back({std::string{bytes_text(rest.subspan(4, 4))}, {data.begin(), data.end()}});
    rest = rest.subspan(size + 12);
  }
  return found;
}

Bytes inflated(Bytes const& packed, std::size_t size) {
  Bytes plain(size);
  auto length = static_cast<uLongf>(size);
  REQUIRE(::uncompress(reinterpret_cast<Bytef*>(plain.data()), &length,
                       reinterpret_cast<Bytef const*>(packed.data()),
                       static_cast<uLong>(packed.size())) == Z_OK);
  REQUIRE(length == size);
  return plain;
}

Image noise(Index height, Index width, Index channels, std::uint32_t state) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  for (Index i = 0; i < height * width * channels; ++i) {
    state = state * 1664525U + 1013904223U;
    image.pixels.push_back(static_cast<std::uint8_t>(state >> 24U));
  }
  return image;
}

}  // namespace

TEST_CASE("an animation has its chunks in order, numbered and timed") {
  // Noise of this size needs several data chunks per frame.
  auto const frames = std::vector{noise(100, 120, 3, 1), noise(100, 120, 3, 2), noise(100, 120, 3, 3)};
  auto const found = chunks(encode_apng(frames, 40, 1500));
  CHECK(found.front().type == "IHDR");
  CHECK(found.back().type == "IEND");

  std::vector<Bytes> packed;
  auto sequence = 0U, animations = 0U;
  for (auto const& [type, data] : found) {
    auto const view = ByteView{data};
    if (type == "acTL") {
      ++animations;
      CHECK(packed.empty());
      CHECK(load_big<std::uint32_t>(view) == 3);
      CHECK(load_big<std::uint32_t>(view.subspan(4)) == 0);
    } else if (type == "fcTL") {
      REQUIRE(view.size() == 26);
      CHECK(load_big<std::uint32_t>(view) == sequence++);
      CHECK(load_big<std::uint32_t>(view.subspan(4)) == 120);
      CHECK(load_big<std::uint32_t>(view.subspan(8)) == 100);
      CHECK(load_big<std::uint64_t>(view.subspan(12)) == 0);
      CHECK(load_big<std::uint16_t>(view.subspan(20)) == (packed.size() == 2 ? 1500 : 40));
      CHECK(load_big<std::uint16_t>(view.subspan(22)) == 1000);
      CHECK(load_big<std::uint16_t>(view.subspan(24)) == 0);
      packed.emplace_back();
    } else if (type == "IDAT") {
      REQUIRE(packed.size() == 1);
      packed.back() = joined(packed.back(), view);
    } else if (type == "fdAT") {
      REQUIRE(packed.size() >= 2);
      CHECK(load_big<std::uint32_t>(view) == sequence++);
      packed.back() = joined(packed.back(), view.subspan(4));
    }
  }
  CHECK(animations == 1);
  CHECK(sequence > 5);  // more than one data chunk per frame was met
  REQUIRE(packed.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    Bytes alone;
    for (auto const& [type, data] : chunks(encode_png(frames[i])))
      if (type == "IDAT") alone = joined(alone, data);
    CHECK(inflated(packed[i], 100 * 361) == inflated(alone, 100 * 361));
  }
}

TEST_CASE("an animation of one grey frame is a PNG file for every reader") {
  TempFolder const folder;
  auto const frame = noise(9, 5, 1, 7);
  write_apng(folder / "a.png", std::span{&frame, 1}, 100, 100);
  auto const file = read_file(folder / "a.png");
  ::png_image plan{};
  plan.version = PNG_IMAGE_VERSION;
  REQUIRE(::png_image_begin_read_from_memory(&plan, file.data(), file.size()) != 0);
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(plan));
  REQUIRE(::png_image_finish_read(&plan, nullptr, pixels.data(), 0, nullptr) != 0);
  CHECK(pixels == frame.pixels);
}

TEST_CASE("frames of different sizes are rejected") {
  for (auto const& other : {noise(4, 5, 1, 1), noise(5, 4, 1, 1), noise(4, 4, 3, 1)}) {
    auto const frames = std::vector{noise(4, 4, 1, 1), noise(4, 4, 1, 2), other};
    check_fails<ErrorCode::shape>([&] { encode_apng(frames, 40, 40); },
                                  {"frame 2", other.text(), "(4, 4, 1)"});
  }
}

TEST_CASE("an animation without frames or with impossible times is rejected") {
  auto const frame = noise(2, 2, 1, 1);
  auto const one = std::span{&frame, 1};
  check_fails<ErrorCode::config>([&] { encode_apng({}, 40, 40); }, {"number of frames", "found 0"});
  check_fails<ErrorCode::config>([&] { encode_apng(one, 0, 40); }, {"milliseconds", "found 0", "65535"});
  check_fails<ErrorCode::config>([&] { encode_apng(one, 40, 65536); }, {"milliseconds", "found 65536"});
}
