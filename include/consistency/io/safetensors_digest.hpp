// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/safetensors_header.hpp>

namespace consistency::detail {

// `digest` covers the header, its own value blanked, and the data. Two keys tell of it, so that damage to one
// of them cannot turn a file with a digest into one without. The others say where damage is: one of the
// header, both digests blanked, and one of each tensor in the order of the data.
inline constexpr std::string_view digest_key = "digest", digest_type_key = "digest_type",
                                  digest_type = "xxh3-128", header_digest_key = "header_digest",
                                  tensor_digests_key = "tensor_digests";
inline constexpr auto digest_keys =
    std::array{digest_key, digest_type_key, header_digest_key, tensor_digests_key};
inline constexpr std::string_view blank_digest = "00000000000000000000000000000000";

/// Where the value of a key of the metadata stands in a header as it is written here, or npos. An unescaped
/// quote after a brace or a comma begins a key, so no other text can be taken for it.
inline std::size_t value_position(std::string_view json, std::string_view key) {
  for (auto const before : {"{\"", ",\""}) {
    auto const field = before + std::string{key} + "\":\"";
    if (auto const at = json.find(field); at != std::string_view::npos) return at + field.size();
  }
  return std::string_view::npos;
}

/// The digest of a header, the values of `keys` blanked. Nothing where one of them is not spelt there as the
/// metadata have it.
inline std::optional<Digest> digest_header(std::string_view json, Metadata const& metadata,
                                           std::span<std::string_view const> keys) {
  std::vector<std::pair<std::size_t, std::size_t>> places;  // where, and how long
  for (auto const key : keys) {
    auto const stored = metadata.find(std::string{key});
    auto const at = value_position(json, key);
    if (stored == metadata.end() || at == std::string_view::npos ||
        !json.substr(at).starts_with(stored->second + '"'))
      return std::nullopt;
    places.emplace_back(at, stored->second.size());
  }
  std::sort(places.begin(), places.end());
  Digest state;
  std::size_t done = 0;
  for (auto const& [at, size] : places) {
    state.update(text_bytes(json.substr(done, at - done))).update(text_bytes(blank_digest));
    done = at + size;
  }
  return state.update(text_bytes(json.substr(done)));
}

/// The digest of a header in a file, its own value blanked: to go on with the data.
inline std::optional<Digest> begin_digest(std::string_view json, Metadata const& metadata) {
  return digest_header(json, metadata, std::span{&digest_key, 1});
}

/// The header's own digest, of all but the two values that are written last.
inline std::optional<Digest> digest_header_alone(std::string_view json, Metadata const& metadata) {
  return digest_header(json, metadata, std::array{digest_key, header_digest_key});
}

/// Reads a file of write_safetensors piece by piece. Throws io_error, format_error or integrity_error unless
/// it has a digest and every bit is as it was written.
inline void check_whole_safetensors(std::filesystem::path const& path) {
  auto file = FileReader{path};
  std::array<std::byte, sizeof(std::uint64_t)> prefix{};
  file.read(prefix);
  auto const length = load_little<std::uint64_t>(prefix);
  if (length > safetensors_header_limit)
    fail<integrity_error>(file.path(), "header length", number_text(length),
                          "at most " + number_text(safetensors_header_limit));
  auto json = std::string(static_cast<std::size_t>(length), ' ');
  file.read(std::as_writable_bytes(std::span{json}));
  auto const metadata = SafetensorsHeader{json, file.path(), safetensors_header_limit}.metadata;
  auto state = begin_digest(json, metadata);
  if (!state)
    fail<integrity_error>(file.path(), "digest", "none", "the digest of every file that is written whole");
  auto piece = Bytes(std::size_t{1} << 18U);
  for (auto got = piece.size(); got == piece.size();) {
    got = file.read(piece);
    state->update(ByteView{piece}.first(got));
  }
  if (auto const& stored = metadata.at(std::string{digest_key}); state->hex() != stored)
    fail<integrity_error>(file.path(), "digest", "computed " + state->hex(), "stored " + printable(stored));
}

inline bool is_whole_safetensors(std::filesystem::path const& path) try {
  check_whole_safetensors(path);
  return true;
} catch (error const&) {
  return false;
}

}  // namespace consistency::detail
