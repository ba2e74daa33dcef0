// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/data/image_set.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

/// Appends the records of one batch: a label byte, then the red, green and blue planes of 32 x 32 bytes. They
/// are read some at a time.
class Cifar10Batch {
 public:
  static constexpr auto plane = std::size_t{32 * 32}, record = 1 + 3 * plane;

  explicit Cifar10Batch(std::filesystem::path const& path) : file_{path} {}

  void append_to(ImageSet& set) {
    auto piece = Bytes(64 * record);
    std::uint64_t records = 0;
    for (auto got = piece.size(); got == piece.size();) {
      got = file_.read(piece);
      if (records == 0) {
        check_kind(ByteView{piece}.first(got));
        if (auto const size = file_.size().value_or(got); size % record != 0 || got == 0) fail_size(size);
      }
      if (got % record != 0) fail_size(records * record + got);
      for (std::size_t at = 0; at < got; at += record)
        append_record(set, ByteView{piece}.subspan(at, record), records++);
    }
  }

 private:
  void append_record(ImageSet& set, ByteView bytes, std::uint64_t number) const {
    constexpr auto classes = std::uint8_t{10};
    auto const label = std::to_integer<std::uint8_t>(bytes[0]);
    if (label >= classes)
      fail<dataset_error>(file_.path(), "label of record " + number_text(number), number_text(label),
                          "0 to 9", "Is it a CIFAR-10 batch at all?");
    set.labels.push_back(label);
    auto const first = set.pixels.size();
    set.pixels.resize(first + 3 * plane);
    auto* const pixels = set.pixels.data() + first;
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t channel = 0; channel < 3; ++channel)
        pixels[3 * p + channel] = std::to_integer<std::uint8_t>(bytes[1 + channel * plane + p]);
    ++set.count;
  }

  void check_kind(ByteView bytes) const {
    if (auto const kind = recognise(bytes); !kind.name.empty())
      fail<dataset_error>(file_.path(), "not a CIFAR-10 batch", std::string{kind.name},
                          "the binary version's *.bin", std::string{kind.advice});
  }

  [[noreturn]] void fail_size(std::uint64_t size) const {
    fail<dataset_error>(file_.path(), "size of a CIFAR-10 batch",
                        number_text(size) + " bytes: " + number_text(size / record) + " whole records and " +
                            number_text(size % record) + " bytes left over",
                        "a multiple of 3073 bytes, not 0", "Is the file truncated, or CIFAR-100?");
  }

  FileReader file_;
};

}  // namespace detail

/// Batches of the official binary version, one after the other: (n, 32, 32, 3) with labels 0..9.
/// Throws io_error, dataset_error (no batch, size, label, gzip/tar/pickle instead) or resource_error.
inline ImageSet read_cifar10(std::vector<std::filesystem::path> const& batches) {
  if (batches.empty()) fail<dataset_error>("read_cifar10", "list of batches", "0 files", "1 or more");
  ImageSet set{.count = 0, .height = 32, .width = 32, .channels = 3, .pixels = {}, .labels = {}};
  std::uint64_t records = 0;  // so that memory is asked for once; what cannot be looked at is said when read
  for (auto const& batch : batches) {
    std::error_code failure;
    auto const size = std::filesystem::file_size(batch, failure);
    if (!failure) records += size / detail::Cifar10Batch::record;
  }
  detail::within_memory(batches.front(), [&] {
    set.pixels.reserve(static_cast<std::size_t>(records) * 3 * detail::Cifar10Batch::plane);
    set.labels.reserve(static_cast<std::size_t>(records));
    for (auto const& batch : batches) detail::Cifar10Batch{batch}.append_to(set);
  });
  return set;
}

enum class Cifar10Split : std::uint8_t { train, test };

/// One split of the official folder cifar-10-batches-bin: 50,000 or 10,000 images, in the order of the files.
/// Throws as read_cifar10, and dataset_error, naming the file, where a batch is missing or has not 10,000
/// records.
inline ImageSet read_cifar10_folder(std::filesystem::path const& folder, Cifar10Split split) {
  constexpr auto records = std::uint64_t{10000};
  constexpr auto advice =
      "It is unpacked from cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html, 162 MB "
      "with "
      "MD5 c32a1d4ab5d03f1284b67883e8d87530.";
  std::vector<std::filesystem::path> batches;
  if (split == Cifar10Split::test) batches = {folder / "test_batch.bin"};
  for (auto const* const number : {"1", "2", "3", "4", "5"})
    if (split == Cifar10Split::train)
      batches.push_back(folder / ("data_batch_" + std::string{number} + ".bin"));
  for (auto const& batch : batches) {
    std::error_code failure;
    auto const size = std::filesystem::file_size(batch, failure);
    if (failure == std::errc::no_such_file_or_directory)
      fail<dataset_error>(
          batch.string(), "batch of CIFAR-10", "no file",
          split == Cifar10Split::test ? "test_batch.bin" : "data_batch_1.bin to data_batch_5.bin", advice);
    if (!failure && size != records * detail::Cifar10Batch::record)
      fail<dataset_error>(batch.string(), "size of a CIFAR-10 batch", number_text(size) + " bytes",
                          number_text(records * detail::Cifar10Batch::record) + " bytes, 10,000 records",
                          advice);
  }
  return read_cifar10(batches);
}

}  // namespace consistency
