// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <consistency/io/finite.hpp>
#include <consistency/io/tensor_entry.hpp>

namespace consistency {

/// bfloat16: the upper half of a float32.
constexpr float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

/// IEEE 754 binary16, exactly.
constexpr float from_float16(std::uint16_t bits) {
  auto const sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16U;
  auto const magnitude = static_cast<std::uint32_t>(bits & 0x7fffU);
  if (magnitude >= 0x7c00U) return std::bit_cast<float>(sign | 0x7f800000U | (magnitude & 0x3ffU) << 13U);
  if (magnitude < 0x400U) return (sign != 0 ? -0x1p-24F : 0x1p-24F) * static_cast<float>(magnitude);
  return std::bit_cast<float>(sign | ((magnitude << 13U) + 0x38000000U));  // exponents begin at −15, not −127
}

/// Whether `float32_values` reads numbers of this type.
constexpr bool converts_to_float32(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64;
}

/// The numbers of an F32, F16 or BF16 tensor, or those of an F64 one rounded. Throws mismatch_error for
/// another type, and numeric_error, naming file, tensor and index, for a number that is not finite or beyond
/// float32.
inline std::vector<float> float32_values(std::string_view file, TensorEntry const& entry) {
  auto const converted = [&]<class From>(From, auto const& convert) {
    std::vector<float> values(entry.bytes.size() / sizeof(From));
    for (std::size_t i = 0; i < values.size(); ++i) {
      From number;
      std::memcpy(&number, entry.bytes.data() + i * sizeof(From), sizeof(From));
      values[i] = convert(number);
    }
    return values;
  };
  std::vector<float> values;
  if (entry.dtype == DType::f16) {
    values = converted(std::uint16_t{}, from_float16);
  } else if (entry.dtype == DType::bf16) {
    values = converted(std::uint16_t{}, from_bfloat16);
  } else if (entry.dtype == DType::f64) {
    auto const exact = copy_as<double>(entry);
    require_finite(file, entry.name, std::span<double const>{exact});
    values.reserve(exact.size());
    for (auto const number : exact) {
      if (std::abs(number) >= 0x1.ffffffp127)  // would round to infinity
        fail<numeric_error>(
            std::string{file}, "tensor '" + printable(entry.name) + "'",
            number_text(number) + " at value " + number_text(values.size()),
            "magnitudes up to " + number_text(std::numeric_limits<float>::max()) + ", the largest of float32",
            "Scale the weights before they are saved.");
      values.push_back(static_cast<float>(number));
    }
  } else {
    values = copy_as<float>(entry);
  }
  require_finite(file, entry.name, std::span<float const>{values});
  return values;
}

}  // namespace consistency
