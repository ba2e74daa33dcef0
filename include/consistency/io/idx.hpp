#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/io/bytes.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/gzip.hpp>
#include <consistency/io/image_set.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

/// An array of bytes in the format of the MNIST family.
struct IdxArray {
  std::vector<std::uint64_t> extents;
  ByteView values;
};

/// Layout: 0, 0, type code, rank, then big-endian 32-bit extents, then the values.
inline IdxArray parse_idx(ByteView bytes, std::size_t rank, std::string const& name) {
  auto const refuse = [&](std::string what, std::string found, std::string expected,
                          std::string advice = "") {
    throw format_error{{name, std::move(what), std::move(found), std::move(expected), std::move(advice)}};
  };
  constexpr auto unsigned_bytes = std::byte{0x08};
  auto const size_text = number_text(bytes.size()) + " bytes";
  auto const header_size = 4 + 4 * rank;
  if (auto const kind = recognise(bytes); !kind.name.empty())
    refuse("not an IDX file", std::string{kind.name}, "IDX data, plain or .gz", std::string{kind.advice});
  if (bytes.size() < 4)
    refuse("IDX header truncated", size_text, number_text(header_size) + " bytes or more");
  if (bytes[0] != std::byte{0} || bytes[1] != std::byte{0})
    refuse("IDX magic", printable(bytes_text(bytes.first(4))), "two zero bytes");
  if (bytes[2] != unsigned_bytes)
    refuse("IDX type code", number_text(std::to_integer<int>(bytes[2])), "8 (unsigned bytes)");
  if (auto const found = std::to_integer<std::size_t>(bytes[3]); found != rank)
    refuse("IDX rank", number_text(found), number_text(rank) + (rank == 3 ? " (images)" : " (labels)"),
           "Images and labels are in different files: were they exchanged?");
  if (bytes.size() < header_size)
    refuse("IDX header truncated", size_text, number_text(header_size) + " bytes or more");

  IdxArray array;
  for (std::size_t axis = 0; axis < rank; ++axis)
    array.extents.push_back(load_big<std::uint32_t>(bytes.subspan(4 + 4 * axis)));
  array.values = bytes.subspan(header_size);
  auto const expected = checked_product(array.extents);
  if (!expected) refuse("IDX extents", "a product of more than 2^64", "a size that can exist");
  if (*expected != array.values.size())
    refuse(array.values.size() < *expected ? "IDX data truncated" : "IDX data oversized",
           number_text(array.values.size()) + " bytes after the header",
           number_text(*expected) + " bytes, the product of the extents", "Fetch the file again.");
  if (*expected == 0)
    throw dataset_error{{name, "data set is empty", "an extent of 0", "1 or more along every axis", ""}};
  return array;
}

inline Bytes read_plain_or_gzip(std::filesystem::path const& path, std::uint64_t limit) {
  auto bytes = read_file(path);
  return is_gzip(bytes) ? gunzip(bytes, limit, path.string()) : bytes;
}

inline std::vector<std::uint8_t> to_integers(ByteView bytes) {
  std::vector<std::uint8_t> values(bytes.size());
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace detail

/// Largest IDX file that a .gz may unpack to, in bytes.
inline constexpr std::uint64_t idx_limit = std::uint64_t{1} << 32U;

/// Grey images (n, h, w, 1) of an MNIST-like file, plain or .gz whatever its name; no labels.
/// Throws io_error, format_error (magic, type code, rank, size) or dataset_error (empty).
inline ImageSet read_idx_images(std::filesystem::path const& path, std::uint64_t limit = idx_limit) {
  auto const bytes = detail::read_plain_or_gzip(path, limit);
  auto const array = detail::parse_idx(bytes, 3, path.string());
  return {.count = static_cast<Index>(array.extents[0]),
          .height = static_cast<Index>(array.extents[1]),
          .width = static_cast<Index>(array.extents[2]),
          .channels = 1,
          .pixels = detail::to_integers(array.values),
          .labels = {}};
}

/// Labels of an MNIST-like file, plain or .gz; same errors.
inline std::vector<std::uint8_t> read_idx_labels(std::filesystem::path const& path,
                                                 std::uint64_t limit = idx_limit) {
  auto const bytes = detail::read_plain_or_gzip(path, limit);
  return detail::to_integers(detail::parse_idx(bytes, 1, path.string()).values);
}

/// Images with their labels. Throws dataset_error when there are not as many of one as of the other.
inline ImageSet read_idx(std::filesystem::path const& images, std::filesystem::path const& labels,
                         std::uint64_t limit = idx_limit) {
  auto set = read_idx_images(images, limit);
  set.labels = read_idx_labels(labels, limit);
  if (set.labels.size() != static_cast<std::size_t>(set.count))
    throw dataset_error{{.where = labels.string(),
                         .what = "number of labels",
                         .found = number_text(set.labels.size()) + " labels",
                         .expected = number_text(set.count) + " images in " + images.string(),
                         .advice = "Take both files from the same split."}};
  return set;
}

}  // namespace consistency
