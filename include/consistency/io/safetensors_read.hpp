// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/dtype.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/file_contents.hpp>
#include <consistency/io/safetensors_digest.hpp>
#include <consistency/io/safetensors_header.hpp>
#include <consistency/io/signature.hpp>
#include <consistency/io/tensor_entry.hpp>

namespace consistency {

/// A safetensors file in memory, checked from end to end. Its entries point into it; moving it keeps them
/// valid.
class SafetensorsFile {
 public:
  /// Throws format_error (any rule of the format broken) or integrity_error (a digest that does not match),
  /// which names the tensors that are damaged, or the header, where the file tells.
  SafetensorsFile(FileContents contents, std::string name, std::uint64_t header_limit)
      : contents_{std::move(contents)}, name_{std::move(name)} {
    auto const json = header_text(header_limit);
    auto header = detail::SafetensorsHeader{json, name_, header_limit};
    metadata_ = std::move(header.metadata);
    auto const data = contents_.view().subspan(prefix + json.size());
    place_tensors(header, data);
    verify_digest(json, data);
  }
  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;

  std::span<TensorEntry const> entries() const { return entries_; }  ///< in the order of the data
  Metadata const& metadata() const { return metadata_; }
  bool verified() const { return verified_; }  ///< the file has a digest, and it matches

  /// The entry of that name, or nullptr.
  TensorEntry const* find(std::string_view name) const {
    auto const at =
        std::lower_bound(by_name_.begin(), by_name_.end(), name,
                         [&](std::size_t i, std::string_view key) { return entries_[i].name < key; });
    return at != by_name_.end() && entries_[*at].name == name ? &entries_[*at] : nullptr;
  }

 private:
  static constexpr std::size_t prefix = 8;

  std::string_view header_text(std::uint64_t limit) const {
    auto const view = contents_.view();
    if (auto const kind = recognise(view);
        !kind.name.empty() && (view.size() <= prefix || view[prefix] != std::byte{'{'}))
      fail<format_error>(name_, "not a safetensors file", std::string{kind.name}, "safetensors data",
                         std::string{kind.advice});
    if (view.size() < prefix)
      fail<format_error>(name_, "truncated", number_text(view.size()) + " bytes",
                         "8 bytes of header length at byte 0");
    auto const length = load_little<std::uint64_t>(view);
    auto const length_text = number_text(length) + " at byte 0";
    if (length > limit)
      fail<format_error>(name_, "header length", length_text, "at most " + number_text(limit));
    if (length > view.size() - prefix)
      fail<format_error>(name_, "truncated header", length_text,
                         "at most the " + number_text(view.size() - prefix) + " bytes left",
                         "Fetch the file again.");
    auto const text = bytes_text(view.subspan(prefix, static_cast<std::size_t>(length)));
    if (!text.starts_with('{'))
      fail<format_error>(name_, "header", "'" + printable(text.substr(0, 8)) + "' at byte 8", "a '{'");
    return text;
  }

  // Sorted by offset, every tensor must begin where the one before it ended, and the last end the file.
  void place_tensors(detail::SafetensorsHeader& header, ByteView data) {
    using Item = std::pair<std::string const, detail::TensorRecord>;
    std::vector<Item*> order;
    for (auto& item : header.tensors) {
      if (item.second.offsets->size() != 2)
        fail<format_error>(name_, label(item.first),
                           number_text(item.second.offsets->size()) + " data_offsets", "2, begin and end");
      order.push_back(&item);
    }
    entries_.reserve(order.size());
    std::sort(order.begin(), order.end(), [](Item const* a, Item const* b) {
      auto const &here = *a->second.offsets, &there = *b->second.offsets;
      return here != there ? here < there : a->first < b->first;
    });
    std::uint64_t end_before = 0;
    for (auto* const item : order) {
      auto& [dtype, shape, offsets] = item->second;
      auto const begin = offsets->front(), end = offsets->back();
      check_place(item->first, begin, end, end_before, data.size());
      check_size(item->first, *dtype, *shape, end - begin);
      entries_.push_back(
          {item->first, *dtype, std::move(*shape),
           data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin))});
      end_before = end;
    }
    if (end_before != data.size())
      fail<format_error>(
          name_, "trailing bytes", number_text(data.size() - end_before) + " bytes after the last tensor",
          "the end of the file at byte " + number_text(contents_.view().size() - data.size() + end_before));
    by_name_.resize(entries_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
    std::sort(by_name_.begin(), by_name_.end(),
              [&](std::size_t a, std::size_t b) { return entries_[a].name < entries_[b].name; });
  }

  void check_place(std::string const& tensor, std::uint64_t begin, std::uint64_t end,
                   std::uint64_t end_before, std::uint64_t size) const {
    auto const found = "data_offsets [" + number_text(begin) + ", " + number_text(end) + "]";
    if (begin > end) fail<format_error>(name_, label(tensor), found, "a begin that is not behind the end");
    if (begin < end_before)
      fail<format_error>(name_, label(tensor) + " overlaps the one before", found, starting_at(end_before));
    if (begin > end_before)
      fail<format_error>(name_, "hole before " + label(tensor), found, starting_at(end_before));
    if (end > size)
      fail<format_error>(name_, label(tensor) + " is truncated", found,
                         "at most the " + number_text(size) + " bytes of data there are",
                         "Fetch the file again.");
  }

  void check_size(std::string const& tensor, DType dtype, std::vector<std::uint64_t> const& shape,
                  std::uint64_t size) const {
    auto const bits = checked_product(shape, facts(dtype).bits);
    if (!bits)
      fail<format_error>(name_, label(tensor), "a shape whose size overflows 64 bits",
                         "a size that can exist");
    if (*bits % 8 != 0) fail<format_error>(name_, label(tensor), number_text(*bits) + " bits", "whole bytes");
    if (*bits / 8 != size)
      fail<format_error>(name_, label(tensor), number_text(size) + " bytes between its data_offsets",
                         number_text(*bits / 8) + " bytes for its shape and dtype");
  }

  void verify_digest(std::string_view json, ByteView data) {
    auto const stored = metadata_.find(std::string{detail::digest_key});
    auto const type = metadata_.find(std::string{detail::digest_type_key});
    if (stored == metadata_.end() && type == metadata_.end()) return;
    auto const complete = stored != metadata_.end() && type != metadata_.end();
    if (!complete || type->second != detail::digest_type)
      fail<integrity_error>(
          name_, "digest",
          complete ? "digest_type '" + printable(type->second) + "'" : "only one of digest and digest_type",
          "both, and the type " + std::string{detail::digest_type}, take_another);
    auto state = detail::begin_digest(json, metadata_);
    if (!state)
      fail<integrity_error>(name_, "digest", "a header that was rewritten", "the writer's own spelling",
                            take_another);
    if (auto const computed = state->update(data).hex(); computed != stored->second) {
      blame_header(json);
      blame_tensors();
      fail<integrity_error>(name_, "digest", "computed " + computed, "stored " + printable(stored->second),
                            take_another);
    }
    verified_ = true;
    for (auto const key : {detail::header_digest_key, detail::tensor_digests_key})
      metadata_.erase(std::string{key});
  }

  void blame_header(std::string_view json) const {
    auto const stored = metadata_.find(std::string{detail::header_digest_key});
    if (stored == metadata_.end()) return;
    auto const state = detail::digest_header_alone(json, metadata_);
    auto const computed = state ? state->hex() : "none";
    if (computed != stored->second)
      fail<integrity_error>(name_, "header", "digest " + computed,
                            "the stored digest " + printable(stored->second), take_another);
  }

  void blame_tensors() const {
    constexpr auto width = detail::blank_digest.size(), shown = std::size_t{20};
    auto const stored = metadata_.find(std::string{detail::tensor_digests_key});
    if (stored == metadata_.end() || stored->second.size() != width * entries_.size()) return;
    std::string damaged, found, expected;
    std::size_t count = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto const computed = digest(entries_[i].bytes), kept = stored->second.substr(width * i, width);
      if (computed == kept) continue;
      if (count++ == 0) found = "digest " + computed, expected = "the stored digest " + printable(kept);
      if (count <= shown) damaged += (count == 1 ? "" : ", ") + label(entries_[i].name);
    }
    if (count > shown) damaged += " and " + number_text(count - shown) + " more";
    if (count > 0)
      fail<integrity_error>(name_, std::move(damaged), std::move(found), std::move(expected), take_another);
  }

  static constexpr auto take_another =
      "The file was damaged or edited since it was written: use another copy.";

  static std::string label(std::string const& tensor) { return "tensor '" + printable(tensor) + "'"; }
  static std::string starting_at(std::uint64_t byte) { return "data from byte " + number_text(byte) + " on"; }

  FileContents contents_;
  std::string name_;
  Metadata metadata_;
  std::vector<TensorEntry> entries_;
  std::vector<std::size_t> by_name_;
  bool verified_ = false;
};

/// A file already in memory; `name` is for messages.
inline SafetensorsFile parse_safetensors(FileContents contents, std::string name,
                                         std::uint64_t header_limit = safetensors_header_limit) {
  return SafetensorsFile{std::move(contents), std::move(name), header_limit};
}

/// Throws io_error, format_error or integrity_error.
inline SafetensorsFile read_safetensors(std::filesystem::path const& path,
                                        std::uint64_t header_limit = safetensors_header_limit) {
  return parse_safetensors(read_file(path), path.string(), header_limit);
}

}  // namespace consistency
