// SPDX-License-Identifier: MIT
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/io/float32.hpp>
#include <consistency/io/safetensors.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class Number>
TensorEntry entry_of(DType dtype, std::vector<Number> const& numbers) {
  return {"w", dtype, {numbers.size()}, std::as_bytes(std::span{numbers})};
}

}  // namespace

TEST_CASE("every binary16 number is the power of two and fraction that its bits say") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto const exponent = static_cast<int>(bits >> 10U & 31U), fraction = static_cast<int>(bits & 0x3ffU);
    auto const value = from_float16(static_cast<std::uint16_t>(bits));
    if (exponent == 31) {
      CHECK(std::isfinite(value) == false);
      CHECK(std::isnan(value) == (fraction != 0));
    } else {
      auto const size =
          exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      CHECK(static_cast<double>(value) == (bits < 0x8000 ? size : -size));
    }
    CHECK(std::signbit(value) == (bits >= 0x8000));
  }
}

TEST_CASE("a bfloat16 number is the upper half of a float32") {
  for (auto const value : {1.0F, -2.0F, 0.25F, 0x1p-126F, -0.0F, 0x1.fep127F})
    CHECK(std::bit_cast<std::uint32_t>(from_bfloat16(static_cast<std::uint16_t>(
              std::bit_cast<std::uint32_t>(value) >> 16U))) == std::bit_cast<std::uint32_t>(value));
}

TEST_CASE("published weights of half and double precision become float32") {
  TempFolder const folder;
  ParameterTable table;
  table.add("w", {3}, {});
  auto const f16 = std::vector<std::uint16_t>{0x3c00, 0xc000, 0x3400};
  auto const bf16 = std::vector<std::uint16_t>{0x3f80, 0xc000, 0x3e80};
  auto const f64 = std::vector<double>{1, -2, 0.25};
  for (auto const& entry :
       {entry_of(DType::f16, f16), entry_of(DType::bf16, bf16), entry_of(DType::f64, f64)}) {
    write_safetensors(folder / "w.safetensors", std::span{&entry, 1});
    auto const theta = read_torch_parameters(folder / "w.safetensors", table);
    CHECK(theta[0][0] == 1.0F);
    CHECK(theta[0][1] == -2.0F);
    CHECK(theta[0][2] == 0.25F);
  }
}

TEST_CASE("a double is rounded to the nearest float32, and rejected where that would be infinite") {
  auto const largest = static_cast<double>(std::numeric_limits<float>::max());
  auto const fits =
      std::vector<double>{0.1, 1 + 0x1p-24, 1 + 0x1.8p-23, 1e-300, largest, 0x1.fffffefffffffp127};
  auto const values = float32_values("file", entry_of(DType::f64, fits));
  CHECK(values == std::vector<float>{0.1F, 1, 1 + 0x1p-22F, 0, std::numeric_limits<float>::max(),
                                     std::numeric_limits<float>::max()});
  for (auto const beyond : {0x1.ffffffp127, -1e300}) {
    auto const numbers = std::vector<double>{1, beyond};
    check_fails<ErrorCode::numeric>(
        [&] { float32_values("file", entry_of(DType::f64, numbers)); },
        {"file", "tensor 'w'", number_text(beyond) + " at value 1", "3.4028235e+38"});
  }
}

TEST_CASE("weights that are not finite are rejected at load with tensor and index") {
  TempFolder const folder;
  auto const path = folder / "w.safetensors";
  ParameterTable table;
  table.add("w", {3}, {});
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
  auto const f32 = std::vector<float>{1, 2, static_cast<float>(nan)};
  auto const f16 = std::vector<std::uint16_t>{0, 0x7c00, 0};
  auto const bf16 = std::vector<std::uint16_t>{0xff80, 0, 0};
  auto const f64 = std::vector<double>{0, inf, nan};
  auto const rejected = [&](TensorEntry const& entry, std::string_view found) {
    write_safetensors(path, std::span{&entry, 1});
    check_fails<ErrorCode::numeric>([&] { read_torch_parameters(path, table); },
                                    {path.string(), "tensor 'w'", found, "finite"});
  };
  rejected(entry_of(DType::f32, f32), "nan at value 2");
  rejected(entry_of(DType::f16, f16), "inf at value 1");
  rejected(entry_of(DType::bf16, bf16), "-inf at value 0");
  rejected(entry_of(DType::f64, f64), "inf at value 1");
}

TEST_CASE("types other than the four of weights are rejected by name") {
  auto const numbers = std::vector<std::int64_t>{1};
  check_fails<ErrorCode::mismatch>([&] { float32_values("file", entry_of(DType::i64, numbers)); },
                                   {"'w'", "I64", "F32"});
}
