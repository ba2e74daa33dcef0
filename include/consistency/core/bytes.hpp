// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace consistency {

using Bytes = std::vector<std::byte>;         ///< the contents of a file
using ByteView = std::span<std::byte const>;  ///< a part of them, owned by somebody else

inline ByteView text_bytes(std::string_view text) { return std::as_bytes(std::span{text}); }
inline std::string_view bytes_text(ByteView bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The first sizeof(Unsigned) bytes as a number, most significant byte first; the caller checks the size.
template <class Unsigned>
constexpr Unsigned load_big(ByteView bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    value = static_cast<Unsigned>(value << 8U | std::to_integer<Unsigned>(bytes[i]));
  return value;
}

/// The same, least significant byte first.
template <class Unsigned>
constexpr Unsigned load_little(ByteView bytes) {
  Unsigned value = 0;
  for (std::size_t i = sizeof(Unsigned); i-- > 0;)
    value = static_cast<Unsigned>(value << 8U | std::to_integer<Unsigned>(bytes[i]));
  return value;
}

namespace detail {

template <class Unsigned>
std::array<std::byte, sizeof(Unsigned)> little_endian(Unsigned value) {
  std::array<std::byte, sizeof(Unsigned)> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> (8U * i) & 0xffU);
  return bytes;
}

}  // namespace detail

// In one piece: where bytes are appended one by one, g++ 12 warns of an overflow that is none.

template <class Unsigned>
void append_big(Bytes& bytes, Unsigned value) {
  auto const digits = detail::little_endian(value);
  bytes.insert(bytes.end(), digits.rbegin(), digits.rend());
}

template <class Unsigned>
void append_little(Bytes& bytes, Unsigned value) {
  auto const digits = detail::little_endian(value);
  bytes.insert(bytes.end(), digits.begin(), digits.end());
}

/// Product of all factors times `unit`; nothing where a partial product leaves 64 bits.
constexpr std::optional<std::uint64_t> checked_product(std::span<std::uint64_t const> factors,
                                                       std::uint64_t unit = 1) {
  auto product = unit;
  for (auto const factor : factors) {
    if (factor != 0 && product > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
    product *= factor;
  }
  return product;
}

}  // namespace consistency
