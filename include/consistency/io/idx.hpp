// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/data/image_set.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/gzip.hpp>
#include <consistency/io/signature.hpp>

namespace consistency {

namespace detail {

/// An array of bytes in the format of the MNIST family.
struct IdxArray {
  std::vector<std::uint64_t> extents;
  std::vector<std::uint8_t> values;
};

/// Reads an array of `rank` axes. Layout: 0, 0, type code, rank, then big-endian 32-bit extents, then the
/// values. The header is read first, and memory taken for what it announces alone.
class IdxReader {
 public:
  IdxReader(std::size_t rank, std::string name) : rank_{rank}, name_{std::move(name)} {}

  /// `head`: the first bytes, `source` gives those behind them. There are at most `left` of these, and as
  /// many where that is `exact`; the values may be at most `limit`.
  IdxArray read(ByteView head, auto& source, std::uint64_t left, bool exact, std::uint64_t limit) const {
    auto array = IdxArray{extents(head), {}};
    auto const rest = head.subspan(header_size());
    auto const count = checked_product(array.extents);
    if (!count)
      fail<format_error>(name_, "IDX extents", "a product of more than 2^64", "a size that can exist");
    auto const there =
        left > std::numeric_limits<std::uint64_t>::max() - rest.size() ? left : rest.size() + left;
    if (*count > there || (exact && *count < there)) fail_size(number_text(there), *count > there, *count);
    if (*count > limit)
      fail<format_error>(name_, "IDX data too large",
                         number_text(*count) + " bytes, the product of the extents",
                         "at most " + number_text(limit));
    if (*count == 0)
      fail<dataset_error>(name_, "data set is empty", "an extent of 0", "1 or more along every axis");
    array.values.resize(static_cast<std::size_t>(*count));
    auto const values = std::as_writable_bytes(std::span{array.values});
    auto const known = std::min(rest.size(), values.size());
    std::copy_n(rest.begin(), known, values.begin());
    auto const got = known + source.read(values.subspan(known));
    if (got < *count) fail_size(number_text(got), true, *count);
    std::array<std::byte, 1> more;
    if (rest.size() > known || source.read(more) > 0)
      fail_size("more than " + number_text(got), false, *count);
    return array;
  }

 private:
  std::size_t header_size() const { return 4 + 4 * rank_; }

  std::vector<std::uint64_t> extents(ByteView head) const {
    constexpr auto unsigned_bytes = std::byte{0x08};
    auto const size_text = number_text(head.size()) + " bytes";
    if (auto const kind = recognise(head); !kind.name.empty())
      fail<format_error>(name_, "not an IDX file", std::string{kind.name}, "IDX data, plain or .gz",
                         std::string{kind.advice});
    if (head.size() < 4)
      fail<format_error>(name_, "IDX header truncated", size_text,
                         number_text(header_size()) + " bytes or more");
    if (head[0] != std::byte{0} || head[1] != std::byte{0})
      fail<format_error>(name_, "IDX magic", printable(bytes_text(head.first(4))), "two zero bytes");
    if (head[2] != unsigned_bytes)
      fail<format_error>(name_, "IDX type code", number_text(std::to_integer<int>(head[2])),
                         "8 (unsigned bytes)");
    if (auto const found = std::to_integer<std::size_t>(head[3]); found != rank_)
      fail<format_error>(name_, "IDX rank", number_text(found),
                         number_text(rank_) + (rank_ == 3 ? " (images)" : " (labels)"),
                         "Images and labels are in different files: were they exchanged?");
    if (head.size() < header_size())
      fail<format_error>(name_, "IDX header truncated", size_text,
                         number_text(header_size()) + " bytes or more");
    std::vector<std::uint64_t> extents;
    extents.reserve(rank_);
    for (std::size_t axis = 0; axis < rank_; ++axis)
      extents.push_back(load_big<std::uint32_t>(head.subspan(4 + 4 * axis)));
    return extents;
  }

  [[noreturn]] void fail_size(std::string const& found, bool truncated, std::uint64_t count) const {
    fail<format_error>(name_, truncated ? "IDX data truncated" : "IDX data oversized",
                       found + " bytes after the header",
                       number_text(count) + " bytes, the product of the extents", "Fetch the file again.");
  }

  std::size_t rank_;
  std::string name_;
};

inline IdxArray read_idx_array(std::filesystem::path const& path, std::size_t rank, std::uint64_t limit) {
  return within_memory(path, [&] {
    constexpr auto head_size = std::size_t{512};  // enough to recognise other kinds of files
    constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
    auto const reader = IdxReader{rank, path.string()};
    auto file = FileReader{path};
    auto head = Bytes(head_size);
    head.resize(file.read(head));
    auto const packed = is_gzip(head);
    if (packed || !file.size()) file.read_onto(head);
    if (!packed) {
      auto const left = file.size().value_or(0);
      return reader.read(head, file, left > head.size() ? left - head.size() : 0, true, unlimited);
    }
    auto source = GzipReader{head, path.string()};
    auto plain = Bytes(head_size);
    plain.resize(source.read(plain));
    return reader.read(plain, source, source.at_most(), false, limit);
  });
}

}  // namespace detail

/// Most values that an IDX file in a .gz may have.
inline constexpr std::uint64_t idx_limit = std::uint64_t{1} << 32U;

/// Grey images (n, h, w, 1) of an MNIST-like file, plain or .gz whatever its name; no labels.
/// Throws io_error, format_error (magic, type code, rank, size), dataset_error (empty) or resource_error.
inline ImageSet read_idx_images(std::filesystem::path const& path, std::uint64_t limit = idx_limit) {
  auto array = detail::read_idx_array(path, 3, limit);
  return {.count = static_cast<Index>(array.extents[0]),
          .height = static_cast<Index>(array.extents[1]),
          .width = static_cast<Index>(array.extents[2]),
          .channels = 1,
          .pixels = std::move(array.values),
          .labels = {}};
}

/// Labels of an MNIST-like file, plain or .gz; same errors.
inline std::vector<std::uint8_t> read_idx_labels(std::filesystem::path const& path,
                                                 std::uint64_t limit = idx_limit) {
  return detail::read_idx_array(path, 1, limit).values;
}

/// Images with their labels. Throws dataset_error when there are not as many of one as of the other.
inline ImageSet read_idx(std::filesystem::path const& images, std::filesystem::path const& labels,
                         std::uint64_t limit = idx_limit) {
  auto set = read_idx_images(images, limit);
  set.labels = read_idx_labels(labels, limit);
  if (set.labels.size() != static_cast<std::size_t>(set.count))
    fail<dataset_error>(labels.string(), "number of labels", number_text(set.labels.size()) + " labels",
                        number_text(set.count) + " images in " + images.string(),
                        "Take both files from the same split.");
  return set;
}

}  // namespace consistency
