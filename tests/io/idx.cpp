// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>

#include <zlib.h>

#include <consistency/io/idx.hpp>

#include "peak_memory.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Bytes gzip(ByteView plain) {
  ::z_stream stream{};
  REQUIRE(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  Bytes packed(::deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

/// Two images of 2 x 3 pixels, 0 to 11.
Bytes images() {
  auto bytes = bytes_of({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3});
  for (auto i = 0; i < 12; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}
Bytes labels() { return bytes_of({0, 0, 8, 1, 0, 0, 0, 2, 7, 9}); }

Bytes changed(Bytes bytes, std::size_t at, int value) {
  bytes[at] = static_cast<std::byte>(value);
  return bytes;
}

void check_images_rejected(Bytes const& bytes, std::initializer_list<std::string_view> words) {
  TempFolder const folder;
  write_file_atomically(folder / "images", bytes);
  check_fails<ErrorCode::format>([&] { read_idx_images(folder / "images"); }, words);
}

}  // namespace

TEST_CASE("IDX images and labels are read, plain or packed, whatever the name") {
  TempFolder const folder;
  for (auto const packed : {false, true}) {
    write_file_atomically(folder / "a.gz", packed ? gzip(images()) : images());
    write_file_atomically(folder / "b", packed ? gzip(labels()) : labels());
    auto const set = read_idx(folder / "a.gz", folder / "b");
    CHECK(set.count == 2);
    CHECK(set.height == 2);
    CHECK(set.width == 3);
    CHECK(set.channels == 1);
    CHECK(set.labels == std::vector<std::uint8_t>{7, 9});
    CHECK(set.image(1).size() == 6);
    CHECK(set.image(1)[0] == 6);
    CHECK(set.image(1)[5] == 11);
  }
}

TEST_CASE("an image number outside the set is rejected") {
  TempFolder const folder;
  write_file_atomically(folder / "a", images());
  auto const set = read_idx_images(folder / "a");
  check_fails<ErrorCode::shape>([&] { (void)set.image(2); }, {"image number", "found 2", "0 to 1"});
  check_fails<ErrorCode::shape>([&] { (void)set.image(-1); }, {"found -1"});
}

TEST_CASE("every rule of IDX that is broken is named") {
  check_images_rejected(changed(images(), 0, 1), {"magic", "\\x01", "two zero bytes"});
  check_images_rejected(changed(images(), 2, 0x0d), {"type code", "found 13", "8 (unsigned bytes)"});
  check_images_rejected(changed(images(), 3, 4), {"rank", "found 4", "expected 3 (images)"});
  check_images_rejected(labels(), {"rank", "found 1", "exchanged"});
  check_images_rejected(changed(images(), 7, 3), {"truncated", "found 12 bytes", "expected 18 bytes"});
  check_images_rejected(changed(images(), 11, 1), {"oversized", "found 12 bytes", "expected 6 bytes"});
}

TEST_CASE("IDX extents that overflow or promise too much allocate nothing") {
  auto huge = images();
  std::fill(huge.begin() + 4, huge.begin() + 16, std::byte{0xff});
  check_images_rejected(huge, {"extents", "2^64"});
  check_images_rejected(changed(images(), 4, 0xff), {"truncated", "expected 25669140492 bytes"});
}

TEST_CASE("an IDX file cut anywhere is rejected") {
  auto const whole = images();
  for (std::size_t size = 0; size < whole.size(); ++size)
    check_images_rejected({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, {"truncated"});
}

TEST_CASE("files of another kind are called by their name") {
  check_images_rejected(bytes_of("version https://git-lfs.github.com/spec/v1\n"),
                        {"Git LFS pointer", "git lfs pull"});
  check_images_rejected(bytes_of("\n<!DOCTYPE html><p>Not found"), {"HTML page"});
  check_images_rejected(bytes_of("PK\x03\x04 and so on"), {"zip archive"});
}

TEST_CASE("an empty data set is rejected") {
  TempFolder const folder;
  write_file_atomically(folder / "a", bytes_of({0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3}));
  check_fails<ErrorCode::dataset>([&] { read_idx_images(folder / "a"); }, {"empty"});
}

TEST_CASE("as many labels as images are asked for") {
  TempFolder const folder;
  write_file_atomically(folder / "a", images());
  write_file_atomically(folder / "b", bytes_of({0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 1}));
  check_fails<ErrorCode::dataset>([&] { read_idx(folder / "a", folder / "b"); },
                                  {"3 labels", "2 images", (folder / "a").string(), (folder / "b").string()});
}

TEST_CASE("a gzip file cut anywhere is rejected") {
  auto const whole = gzip(images());
  for (std::size_t size = 0; size < whole.size(); ++size)
    check_fails<ErrorCode::format>([&] { gunzip(ByteView{whole}.first(size), 1000, "x.gz"); },
                                   {"x.gz", "gzip"});
  check_images_rejected({whole.begin(), whole.end() - 1}, {"gzip data: truncated"});
}

TEST_CASE("a damaged gzip file is rejected by its checksum") {
  auto packed = gzip(images());
  packed[packed.size() - 5] ^= std::byte{1};
  check_images_rejected(packed, {"incorrect data check"});
}

TEST_CASE("bytes behind a gzip member are rejected unless they are another member") {
  auto const packed = gzip(images());
  CHECK(gunzip(joined(packed, packed), 1000, "x") == joined(images(), images()));
  check_images_rejected(joined(packed, bytes_of("tail")), {"no gzip member", "28 unpacked bytes"});
}

TEST_CASE("a gzip bomb is stopped at the limit") {
  Bytes const zeros(10'000'000);
  auto const bomb = gzip(zeros);
  CHECK(bomb.size() < 20'000);
  CHECK(gunzip(bomb, zeros.size(), "bomb") == zeros);
  check_fails<ErrorCode::format>([&] { gunzip(bomb, zeros.size() - 1, "bomb"); }, {"too large", "9999999"});
  check_fails<ErrorCode::format>([&] { gunzip(bomb, 0, "bomb"); }, {"too large", "at most 0"});
}

TEST_CASE("a packed IDX file gives as many bytes as its header announces, and is rejected for others") {
  auto const header = [](int count) {
    return bytes_of({0, 0, 8, 3, 0, 0, 0, count, 0, 0, 4, 0, 0, 0, 4, 0});
  };
  TempFolder const folder;
  Bytes plain(3U << 20U);
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::byte>(i * 31U >> 5U);
  write_file_atomically(folder / "a", gzip(joined(header(3), plain)));
  auto const set = read_idx_images(folder / "a");
  CHECK(set.count == 3);
  CHECK(std::equal(plain.begin(), plain.end(), std::as_bytes(std::span{set.pixels}).begin()));
  check_images_rejected(gzip(joined(header(2), plain)), {"oversized", "more than 2097152 bytes"});
  check_images_rejected(gzip(joined(header(4), plain)), {"truncated", "found 3145728 bytes", "4194304"});
  write_file_atomically(folder / "b", gzip(header(255)));
  check_fails<ErrorCode::format>([&] { read_idx_images(folder / "b"); }, {"truncated", "expected 267386880"});
  check_fails<ErrorCode::format>([&] { read_idx_images(folder / "a", 3145727); },
                                 {"too large", "3145728 bytes", "at most 3145727"});
  auto damaged = gzip(joined(header(3), plain));
  damaged[damaged.size() - 5] ^= std::byte{1};
  check_images_rejected(damaged, {"incorrect data check"});
  check_images_rejected(joined(gzip(joined(header(3), plain)), bytes_of("tail")), {"no gzip member"});
  auto const first = ByteView{plain}.first(1'000'000), second = ByteView{plain}.subspan(1'000'000);
  write_file_atomically(folder / "c", joined(gzip(joined(header(3), first)), gzip(second)));
  CHECK(read_idx_images(folder / "c").pixels == set.pixels);
}

TEST_CASE("reading images takes little more memory than the images") {
  TempFolder const folder;
  auto const mib = std::size_t{1} << 20U;
  auto const idx = bytes_of({0, 0, 8, 3, 0, 0, 0, 96, 0, 0, 4, 0, 0, 0, 4, 0});
  write_file_atomically(folder / "plain", joined(idx, Bytes(96 * mib)));
  write_file_atomically(folder / "packed", gzip(joined(idx, Bytes(96 * mib))));
  auto announced = idx;
  announced[7] = std::byte{0};
  announced[11] = announced[10] = std::byte{0};
  announced[7] = announced[11] = std::byte{1};
  write_file_atomically(folder / "bomb", gzip(joined(announced, Bytes(96 * mib))));
  auto const read = [&](char const* name) { return peak_memory_of([&] { read_idx_images(folder / name); }); };
  CHECK(read("plain") < 128 * mib);
  CHECK(read("packed") < 128 * mib);
  CHECK(read("bomb") < 16 * mib);
}

TEST_CASE("Fashion-MNIST is read as Debian packs it") {
  auto const folder = std::filesystem::path{"/usr/share/datasets/fashion-mnist"};
  if (!std::filesystem::exists(folder / "t10k-images-idx3-ubyte.gz")) {
    MESSAGE("skipped: the package dataset-fashion-mnist is not installed");
    return;
  }
  auto const set = read_idx(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz");
  CHECK(set.count == 10'000);
  CHECK(set.image_size() == 784);
  CHECK(std::count(set.labels.begin(), set.labels.end(), 9) == 1000);
}
