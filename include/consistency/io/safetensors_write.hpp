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

#include <consistency/core/error.hpp>
#include <consistency/io/bytes.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/dtype.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/safetensors_header.hpp>
#include <consistency/io/tensor_entry.hpp>

namespace consistency {

namespace detail {

[[noreturn]] inline void refuse_safetensors(std::string what, std::string found, std::string expected) {
  throw config_error{{"write_safetensors", std::move(what), std::move(found), std::move(expected), ""}};
}

inline std::string json_string(std::string_view text) try {
  return nlohmann::json(text).dump();
} catch (nlohmann::json::exception const&) {
  refuse_safetensors("name or metadata", "'" + printable(text) + "'", "valid UTF-8");
}

inline void check_entry(TensorEntry const& entry) {
  if (entry.name == metadata_name || has_control_bytes(entry.name))
    refuse_safetensors("tensor name", "'" + printable(entry.name) + "'",
                       "no control bytes, and not " + std::string{metadata_name});
  auto const bits = checked_product(entry.shape, facts(entry.dtype).bits);
  if (!bits || *bits % 8 != 0 || *bits / 8 != entry.bytes.size())
    throw shape_error{{.where = "write_safetensors",
                       .what = "tensor '" + printable(entry.name) + "'",
                       .found = number_text(entry.bytes.size()) + " bytes",
                       .expected = bits ? number_text(*bits) + " bits for its shape and dtype"
                                        : "a shape whose size fits 64 bits",
                       .advice = ""}};
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

}  // namespace detail

/// Writes tensors atomically, those of wider elements first and else in the order given, so that each is
/// aligned to its element. With a digest (XXH3-128 of the header, its digest field blanked, and the data)
/// every reader of this library notices any changed bit; the keys `digest` and `digest_type` of the metadata
/// are then taken. Throws config_error (names, metadata), shape_error (bytes that do not fit shape and type)
/// or io_error.
inline void write_safetensors(std::filesystem::path const& path, std::span<TensorEntry const> entries,
                              Metadata metadata = {}, bool with_digest = true) {
  if (metadata.contains(std::string{detail::digest_key}) ||
      metadata.contains(std::string{detail::digest_type_key}))
    detail::refuse_safetensors("metadata key", "digest or digest_type",
                               "keys that the writer does not use itself");
  if (with_digest) {
    metadata.emplace(detail::digest_key, detail::blank_digest);
    metadata.emplace(detail::digest_type_key, detail::digest_type);
  }
  std::vector<TensorEntry const*> order;
  std::set<std::string_view> names;
  for (auto const& entry : entries) {
    detail::check_entry(entry);
    if (!names.insert(entry.name).second)
      detail::refuse_safetensors("tensor name", "'" + printable(entry.name) + "' twice", "different names");
    order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(), [](TensorEntry const* a, TensorEntry const* b) {
    return facts(a->dtype).bits > facts(b->dtype).bits;
  });

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
    detail::refuse_safetensors("header", number_text(header.size()) + " bytes",
                               "at most " + number_text(safetensors_header_limit));
  parts[1] = text_bytes(header);
  if (with_digest) {
    header.replace(detail::digest_position(header), detail::blank_digest.size(),
                   digest(std::span{parts}.subspan(1)));
  }
  Bytes length;
  append_little(length, std::uint64_t{header.size()});
  parts[0] = length;
  write_file_atomically(path, parts);
}

}  // namespace consistency
