// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>

namespace consistency {

/// The index of the first value that is not finite, or their number. It looks at bits, which no option of a
/// compiler takes for finite.
template <std::floating_point S>
  requires std::numeric_limits<S>::is_iec559 && (sizeof(S) == 4 || sizeof(S) == 8)
std::size_t first_not_finite(std::span<S const> values) {
  using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
  constexpr auto infinity = std::bit_cast<Bits>(std::numeric_limits<S>::infinity());
  constexpr auto magnitude = static_cast<Bits>(~Bits{0} >> 1U);
  constexpr std::size_t block = 1024;  // one number stands for a block, found without a branch
  for (std::size_t from = 0; from < values.size(); from += block) {
    auto const part = values.subspan(from, std::min(block, values.size() - from));
    Bits largest = 0;
    for (auto const value : part) largest = std::max(largest, std::bit_cast<Bits>(value) & magnitude);
    if (largest < infinity) continue;
    for (std::size_t i = 0; i < part.size(); ++i)
      if ((std::bit_cast<Bits>(part[i]) & magnitude) >= infinity) return from + i;
  }
  return values.size();
}

inline constexpr auto finite_advice = "Take another copy of the file, or one of an earlier step.";

/// Throws numeric_error, naming file or entry point, tensor and index, unless every value is finite.
template <std::floating_point S>
void require_finite(std::string_view where, std::string_view tensor, std::span<S const> values,
                    std::string_view advice = finite_advice) {
  auto const at = first_not_finite(values);
  if (at == values.size()) return;
  fail<numeric_error>(std::string{where}, "tensor '" + printable(tensor) + "'",
                      number_text(values[at]) + " at value " + number_text(at), "finite numbers",
                      std::string{advice});
}

namespace detail {

/// Copies numbers from a file, where they follow no alignment. Throws as `require_finite` does.
inline void copy_finite(std::string_view where, std::string_view tensor, ByteView from, float* to) {
  constexpr auto piece = std::size_t{1} << 16U;  // bytes, which stay in the cache between copy and check
  for (std::size_t at = 0; at < from.size(); at += piece) {
    auto const part = from.subspan(at, std::min(piece, from.size() - at));
    auto const copy = std::span<float const>{to + at / sizeof(float), part.size() / sizeof(float)};
    std::memcpy(to + at / sizeof(float), part.data(), part.size());
    if (first_not_finite(copy) != copy.size())
      require_finite(where, tensor, std::span<float const>{to, at / sizeof(float) + copy.size()});
  }
}

}  // namespace detail

}  // namespace consistency
