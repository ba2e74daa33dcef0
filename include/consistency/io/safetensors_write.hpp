// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/dtype.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/safetensors_digest.hpp>
#include <consistency/io/safetensors_header.hpp>
#include <consistency/io/tensor_entry.hpp>

namespace consistency {

namespace detail {

inline std::string json_string(std::string_view text) try {
  auto json = nlohmann::json(text).dump();
  if (json.size() > safetensors_text_limit)
    fail<config_error>("write_safetensors", "name or metadata",
                       "a text of " + number_text(json.size()) + " bytes",
                       "at most " + number_text(safetensors_text_limit));
  return json;
} catch (nlohmann::json::exception const&) {
  fail<config_error>("write_safetensors", "name or metadata", "'" + printable(text) + "'", "valid UTF-8");
}

inline void check_entry(TensorEntry const& entry) {
  if (entry.name == metadata_name || has_control_bytes(entry.name))
    fail<config_error>("write_safetensors", "tensor name", "'" + printable(entry.name) + "'",
                       "no control bytes, and not " + std::string{metadata_name});
  auto const bits = checked_product(entry.shape, facts(entry.dtype).bits);
  if (!bits || *bits % 8 != 0 || *bits / 8 != entry.bytes.size())
    fail<shape_error>(
        "write_safetensors", "tensor '" + printable(entry.name) + "'",
        number_text(entry.bytes.size()) + " bytes",
        bits ? number_text(*bits) + " bits for its shape and dtype" : "a shape whose size fits 64 bits");
}

/// What a reader would not take is not written.
inline void check_memory(std::span<TensorEntry const> entries, Metadata const& metadata) {
  std::uint64_t needed = 0;
  for (auto const& entry : entries)
    needed += tensor_memory + 2 * entry.name.size() + number_memory * (entry.shape.size() + 2);
  for (auto const& [key, value] : metadata) needed += text_memory + key.size() + value.size();
  if (needed > header_memory(safetensors_header_limit))
    fail<config_error>(
        "write_safetensors", "header",
        number_text(entries.size()) + " tensors and " + number_text(metadata.size()) + " texts of metadata",
        "fewer, or several files: readers take at most " +
            number_text(header_memory(safetensors_header_limit)) + " bytes for what they say");
}

inline std::string metadata_json(Metadata const& metadata) {
  std::string json;
  for (auto const& [key, value] : metadata)
    json += (json.empty() ? "" : ",") + json_string(key) + ":" + json_string(value);
  return json.empty() ? json : json_string(metadata_name) + ":{" + json + "}";
}

inline std::string entry_json(TensorEntry const& entry, std::uint64_t begin) {
  auto json =
      json_string(entry.name) + ":{\"dtype\":\"" + std::string{facts(entry.dtype).name} + "\",\"shape\":[";
  for (std::size_t axis = 0; axis < entry.shape.size(); ++axis)
    json += (axis == 0 ? "" : ",") + number_text(entry.shape[axis]);
  return json + "],\"data_offsets\":[" + number_text(begin) + "," + number_text(begin + entry.bytes.size()) +
         "]}";
}

/// Blanks for the digests that are known last, and the tensors' own, unless they are too many for one text.
inline void add_digests(Metadata& metadata, std::vector<TensorEntry const*> const& order) {
  metadata.emplace(digest_key, blank_digest);
  metadata.emplace(digest_type_key, digest_type);
  metadata.emplace(header_digest_key, blank_digest);
  if (order.size() * blank_digest.size() > safetensors_text_limit) return;
  std::string all;
  for (auto const* const entry : order) all += digest(entry->bytes);
  metadata.emplace(tensor_digests_key, std::move(all));
}

}  // namespace detail

/// Writes tensors atomically, those of wider elements first and else in the order given, so that each is
/// aligned to its element. With a digest (XXH3-128 of the header, its digest field blanked, and the data)
/// every reader of this library notices any changed bit, and names the damaged tensors; the keys `digest`,
/// `digest_type`, `header_digest` and `tensor_digests` of the metadata are then taken. A new file has mode
/// and owner of the file `like`, if there is one. Throws config_error (names, metadata), shape_error (bytes
/// that do not fit shape and type) or io_error.
inline void write_safetensors(std::filesystem::path const& path, std::span<TensorEntry const> entries,
                              Metadata metadata, bool with_digest, std::filesystem::path const& like) {
  for (auto const key : detail::digest_keys)
    if (metadata.contains(std::string{key}))
      fail<config_error>("write_safetensors", "metadata key", std::string{key},
                         "keys that the writer does not use itself");
  std::vector<TensorEntry const*> order;
  std::set<std::string_view> names;
  for (auto const& entry : entries) {
    detail::check_entry(entry);
    if (!names.insert(entry.name).second)
      fail<config_error>("write_safetensors", "tensor name", "'" + printable(entry.name) + "' twice",
                         "different names");
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(), [](TensorEntry const* a, TensorEntry const* b) {
    auto const wide = facts(a->dtype).bits, other = facts(b->dtype).bits;
    return wide != other ? wide > other : a < b;  // of one type in the caller's order
  });
  if (with_digest) detail::add_digests(metadata, order);
  detail::check_memory(entries, metadata);

  auto header = "{" + detail::metadata_json(metadata);
  std::vector<ByteView> parts(2);  // header length and header, then one per tensor
  std::uint64_t end = 0;
  for (auto const* const entry : order) {
    header += (header.size() == 1 ? "" : ",") + detail::entry_json(*entry, end);
    end += entry->bytes.size();
    parts.push_back(entry->bytes);
  }
  header += '}';
  while (header.size() % 8 != 0) header += ' ';
  if (header.size() > safetensors_header_limit)
    fail<config_error>("write_safetensors", "header", number_text(header.size()) + " bytes",
                       "at most " + number_text(safetensors_header_limit));
  parts[1] = text_bytes(header);
  if (with_digest) {
    auto const write = [&](std::string_view key, std::string const& value) {
      header.replace(detail::value_position(header, key), value.size(), value);
    };
    write(detail::header_digest_key, digest(text_bytes(header)));
    write(detail::digest_key, digest(std::span{parts}.subspan(1)));
  }
  Bytes length;
  append_little(length, std::uint64_t{header.size()});
  parts[0] = length;
  write_file_atomically(path, parts, like);
}
inline void write_safetensors(std::filesystem::path const& path, std::span<TensorEntry const> entries,
                              Metadata metadata = {}, bool with_digest = true) {
  write_safetensors(path, entries, std::move(metadata), with_digest, path);
}

}  // namespace consistency
