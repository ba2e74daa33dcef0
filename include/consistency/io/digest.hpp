// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <consistency/core/bytes.hpp>

namespace consistency {

/// XXH3, 128 bits, of bytes that come in pieces. Finds damage, not forgery: it is no cryptographic hash.
class Digest {
 public:
  Digest() { XXH3_128bits_reset(&state_); }

  Digest& update(ByteView bytes) {
    if (!bytes.empty()) XXH3_128bits_update(&state_, bytes.data(), bytes.size());
    return *this;
  }

  /// 32 lower-case hexadecimal digits for everything so far, most significant first.
  std::string hex() const {
    constexpr auto digits = std::string_view{"0123456789abcdef"};
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_));
    std::string text;
    for (auto const byte : canonical.digest) {
      text += digits[byte >> 4U];
      text += digits[byte & 15U];
    }
    return text;
  }

 private:
  XXH3_state_t state_{};
};

/// Digest of the parts as if they were one sequence of bytes.
inline std::string digest(std::span<ByteView const> parts) {
  Digest whole;
  for (auto const part : parts) whole.update(part);
  return whole.hex();
}
inline std::string digest(ByteView bytes) { return Digest{}.update(bytes).hex(); }

}  // namespace consistency
