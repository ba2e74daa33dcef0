// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace consistency {

/// Every element type of the safetensors format, in the order of `dtype_facts`.
enum class DType : std::uint8_t {
  f64,
  i64,
  u64,
  c64,  ///< two f32: real, imaginary
  f32,
  i32,
  u32,
  f16,
  bf16,
  i16,
  u16,
  i8,
  u8,
  boolean,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f6_e2m3,
  f6_e3m2,
  f4,
};

struct DTypeFacts {
  std::string_view name;  ///< as the format spells it
  std::uint64_t bits;     ///< per element
};

inline constexpr auto dtype_facts = std::array<DTypeFacts, 22>{{
    {"F64", 64},        {"I64", 64},    {"U64", 64},    {"C64", 64},    {"F32", 32},    {"I32", 32},
    {"U32", 32},        {"F16", 16},    {"BF16", 16},   {"I16", 16},    {"U16", 16},    {"I8", 8},
    {"U8", 8},          {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
}};

constexpr DTypeFacts const& facts(DType dtype) { return dtype_facts[static_cast<std::size_t>(dtype)]; }

constexpr std::optional<DType> dtype_of(std::string_view name) {
  for (std::size_t i = 0; i < dtype_facts.size(); ++i)
    if (dtype_facts[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

/// C++ types that a tensor of a file can be copied from and to.
template <class T>
concept TensorElement = std::same_as<T, float> || std::same_as<T, double> ||
                        (std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8);

template <TensorElement T>
constexpr DType dtype_of() {
  if constexpr (std::floating_point<T>) {
    return sizeof(T) == 8 ? DType::f64 : DType::f32;
  } else {
    constexpr auto is_signed = std::signed_integral<T>;
    switch (sizeof(T)) {
      case 1:
        return is_signed ? DType::i8 : DType::u8;
      case 2:
        return is_signed ? DType::i16 : DType::u16;
      case 4:
        return is_signed ? DType::i32 : DType::u32;
      default:
        return is_signed ? DType::i64 : DType::u64;
    }
  }
}

}  // namespace consistency
