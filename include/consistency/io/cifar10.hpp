#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/io/bytes.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/image_set.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

/// Appends the records of one batch: a label byte, then the red, green and blue planes of 32 x 32 bytes.
inline void append_cifar10_batch(ImageSet& set, ByteView bytes, std::string const& name) {
  constexpr auto plane = std::size_t{32 * 32};
  constexpr auto record = 1 + 3 * plane;
  constexpr auto classes = std::uint8_t{10};
  if (auto const kind = recognise(bytes); !kind.name.empty())
    throw dataset_error{{name, "not a CIFAR-10 batch", std::string{kind.name}, "the binary version's *.bin",
                         std::string{kind.advice}}};
  auto const records = bytes.size() / record;
  if (records == 0 || bytes.size() % record != 0)
    throw dataset_error{{name, "size of a CIFAR-10 batch",
                         number_text(bytes.size()) + " bytes: " + number_text(records) +
                             " whole records and " + number_text(bytes.size() % record) + " bytes left over",
                         "a multiple of 3073 bytes, not 0", "Is the file truncated, or CIFAR-100?"}};
  auto const first = set.pixels.size();
  set.pixels.resize(first + records * 3 * plane);
  for (std::size_t r = 0; r < records; ++r) {
    auto const label = std::to_integer<std::uint8_t>(bytes[r * record]);
    if (label >= classes)
      throw dataset_error{{name, "label of record " + number_text(r), number_text(label), "0 to 9",
                           "Is it a CIFAR-10 batch at all?"}};
    set.labels.push_back(label);
    auto const planes = bytes.subspan(r * record + 1, 3 * plane);
    auto* const pixels = set.pixels.data() + first + r * 3 * plane;
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t channel = 0; channel < 3; ++channel)
        pixels[3 * p + channel] = std::to_integer<std::uint8_t>(planes[channel * plane + p]);
  }
  set.count += static_cast<Index>(records);
}

}  // namespace detail

/// Batches of the official binary version, one after the other: (n, 32, 32, 3) with labels 0..9.
/// Throws io_error, or dataset_error (no batch, size, label, gzip/tar/pickle instead).
inline ImageSet read_cifar10(std::vector<std::filesystem::path> const& batches) {
  if (batches.empty()) throw dataset_error{{"read_cifar10", "list of batches", "0 files", "1 or more", ""}};
  ImageSet set{.count = 0, .height = 32, .width = 32, .channels = 3, .pixels = {}, .labels = {}};
  for (auto const& batch : batches) detail::append_cifar10_batch(set, read_file(batch), batch.string());
  return set;
}

}  // namespace consistency
