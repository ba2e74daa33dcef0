#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <consistency/core/error.hpp>
#include <consistency/io/bytes.hpp>

namespace consistency {

namespace detail {

/// By its bits, which no compiler flag makes meaningless: those of an infinity or NaN have the whole
/// exponent.
inline bool finite_bits(std::uint32_t bits) {
  constexpr auto exponent = 0x7f800000U;
  return (bits & exponent) != exponent;
}
inline bool finite_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return finite_bits(bits);
}

/// Whether all of them are finite. Blocks of a size that is known, so that compilers vectorize.
inline bool all_finite(std::span<float const> values) {
  constexpr auto size = std::size_t{1024};
  for (std::size_t at = 0; at < values.size(); at += size) {
    std::array<std::uint32_t, size> block{};
    std::memcpy(block.data(), values.data() + at, std::min(size, values.size() - at) * sizeof(float));
    std::uint32_t bad = 0;
    for (auto const bits : block) bad |= finite_bits(bits) ? 0U : 1U;
    if (bad != 0) return false;
  }
  return true;
}

[[noreturn]] inline void refuse_not_finite(std::string const& where, std::string_view tensor,
                                           std::span<float const> values, std::string const& advice) {
  auto const bad = std::find_if(values.begin(), values.end(), [](float v) { return !finite_bits(v); });
  throw numeric_error{{.where = where,
                       .what = "tensor '" + printable(tensor) + "'",
                       .found = number_text(*bad) + " at value " + number_text(bad - values.begin()),
                       .expected = "finite numbers",
                       .advice = advice}};
}

inline constexpr auto finite_advice = "Take a file from before the run diverged.";

/// Copies numbers from a file, where they follow no alignment. Throws as `require_finite` does.
inline void copy_finite(std::string const& where, std::string_view tensor, ByteView from, float* to) {
  constexpr auto piece = std::size_t{1} << 16U;  // bytes, which stay in the cache between copy and check
  for (std::size_t at = 0; at < from.size(); at += piece) {
    auto const part = from.subspan(at, std::min(piece, from.size() - at));
    auto* const copy = to + at / sizeof(float);
    std::memcpy(copy, part.data(), part.size());
    if (!all_finite({copy, part.size() / sizeof(float)}))
      refuse_not_finite(where, tensor, {to, (at + part.size()) / sizeof(float)}, finite_advice);
  }
}

}  // namespace detail

/// Throws numeric_error, naming the tensor and the first value that is not finite. `where` is the file or the
/// entry point.
inline void require_finite(std::string const& where, std::string_view tensor, std::span<float const> values,
                           std::string const& advice = detail::finite_advice) {
  if (!detail::all_finite(values)) detail::refuse_not_finite(where, tensor, values, advice);
}

}  // namespace consistency
