// SPDX-License-Identifier: MIT
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <consistency/io/cifar10.hpp>

#include "peak_memory.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Records whose byte (channel, pixel) of record r is 50 channel + 7 pixel + r, modulo 256.
Bytes batch(std::initializer_list<int> labels) {
  Bytes bytes;
  auto r = 0;
  for (auto const label : labels) {
    bytes.push_back(static_cast<std::byte>(label));
    for (auto channel = 0; channel < 3; ++channel)
      for (auto pixel = 0; pixel < 1024; ++pixel)
        bytes.push_back(static_cast<std::byte>(50 * channel + 7 * pixel + r));
    ++r;
  }
  return bytes;
}

void check_batch_rejected(Bytes const& bytes, std::initializer_list<std::string_view> words) {
  TempFolder const folder;
  write_file_atomically(folder / "batch.bin", bytes);
  check_fails<ErrorCode::dataset>([&] { read_cifar10({folder / "batch.bin"}); }, words);
}

}  // namespace

TEST_CASE("CIFAR-10 batches are joined, their planes interleaved") {
  TempFolder const folder;
  write_file_atomically(folder / "1", batch({3, 9}));
  write_file_atomically(folder / "2", batch({0}));
  auto const set = read_cifar10({folder / "1", folder / "2"});
  CHECK(set.count == 3);
  CHECK(set.height == 32);
  CHECK(set.width == 32);
  CHECK(set.channels == 3);
  CHECK(set.labels == std::vector<std::uint8_t>{3, 9, 0});
  auto wrong = 0;
  for (auto n = 0; n < 3; ++n) {
    auto const image = set.image(n);
    auto value = image.begin();
    for (auto pixel = 0; pixel < 1024; ++pixel)
      for (auto channel = 0; channel < 3; ++channel)
        if (*value++ != static_cast<std::uint8_t>(50 * channel + 7 * pixel + n % 2)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a CIFAR-10 batch of a wrong size says what is left over") {
  auto bytes = batch({1, 2});
  bytes.erase(bytes.end() - 73, bytes.end());
  check_batch_rejected(bytes, {"batch.bin", "6073 bytes", "1 whole records", "3000 bytes left over"});
  check_batch_rejected({}, {"0 bytes", "0 whole records"});
  check_batch_rejected(joined(batch({1}), bytes_of({0})), {"3074 bytes", "1 bytes left over"});
}

TEST_CASE("a CIFAR-10 label above 9 is named with its record") {
  check_batch_rejected(batch({1, 2, 10}), {"label of record 2", "found 10", "0 to 9"});
}

TEST_CASE("archives in the place of CIFAR-10 batches are called by their name") {
  check_batch_rejected(bytes_of("\x1f\x8b\x08 and so on"), {"gzip data", "Unpack"});
  auto tar = bytes_of(std::string(512, 'n'));
  auto const mark = text_bytes("ustar");
  std::copy(mark.begin(), mark.end(), tar.begin() + 257);
  check_batch_rejected(tar, {"tar archive", "Unpack"});
  check_batch_rejected(bytes_of("\x80\x02}q\x01"), {"Python pickle", "binary version"});
}

TEST_CASE("CIFAR-10 without files, or with one that is missing, is rejected") {
  check_fails<ErrorCode::dataset>([] { read_cifar10({}); }, {"0 files"});
  check_fails<ErrorCode::io>([] { read_cifar10({"/nowhere/data_batch_1.bin"}); },
                             {"/nowhere/data_batch_1.bin"});
}

TEST_CASE("reading CIFAR-10 takes little more memory than the images") {
  TempFolder const folder;
  write_file_atomically(folder / "1", Bytes(std::size_t{3073} * 16'384));
  auto const files = std::vector<std::filesystem::path>(2, folder / "1");
  CHECK(peak_memory_of([&] { read_cifar10(files); }) < 2 * 3073 * 16'384 + (std::size_t{32} << 20U));
}
