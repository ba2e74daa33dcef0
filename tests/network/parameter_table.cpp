// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/network/layer/attention.hpp>
#include <consistency/network/layer/normalized_convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("every name of a large table is found again, and no other") {
  ParameterTable table;
  CHECK_FALSE(table.find("p0"));
  constexpr ParameterId count = 5000;
  for (ParameterId i = 0; i < count; ++i) CHECK(table.add("p" + number_text(i), {1}, {}) == i);
  for (ParameterId i = 0; i < count; ++i) CHECK(table.find("p" + number_text(i)) == i);
  CHECK_FALSE(table.find("p5000"));
  CHECK_FALSE(table.find(""));
  auto const copy = table;
  CHECK(copy.find("p4999") == count - 1);
  check_fails<ErrorCode::config>([&] { table.add("p77", {1}, {}); }, {"p77 twice", "unique names"});
  CHECK(table.entries().size() == count);
}

TEST_CASE("parameters without numbers, and more than an arena can count, are rejected") {
  ParameterTable table;
  check_fails<ErrorCode::config>([&] { table.add("none", {3, 0}, {}); }, {"none", "(3, 0)", "one number"});
  auto const half = ParameterTable::limit / 2;
  table.add("first", {half}, {});
  check_fails<ErrorCode::config>(
      [&] {
        table.add("second", {half, 2}, {});
      },
      {"ParameterTable", "second", "after 144115188075855871 numbers"});
  table.add("third", {half - 64}, {});
  CHECK(table.count() == 2 * half - 64);
  CHECK(table.size() > 0);
  check_fails<ErrorCode::config>([&] { table.add("fourth", {64}, {}); }, {"fourth", "at most"});
  check_fails<ErrorCode::resource>([&] { Parameters<Tensor<float>>{table}; }, {"out of memory"});
}

TEST_CASE("channels that no whole number of maps fills are rejected") {
  ParameterTable table;
  check_fails<ErrorCode::config>([&] { table.add("qkv", {4, 8}, {}, 3); }, {"qkv", "8 channels in 3 maps"});
  table.add("qkv", {4, 9}, {}, 3);
  CHECK(table.entries()[0].interleaved == 3);
}

TEST_CASE("tables of one layout and other conventions mean something else") {
  auto const table = [](std::string heads) {
    ParameterTable made;
    made.add("w", {2}, {});
    made.add_convention({"heads", std::move(heads), "1"});
    return made;
  };
  CHECK(table("2").same_meaning(table("2")));
  CHECK_FALSE(table("2").same_meaning(table("1")));
  CHECK(table("2").same_layout(table("1")));
  CHECK_FALSE(table("2").same_meaning(ParameterTable{}));
  CHECK(table("2").text() == "1 parameters of 2 numbers, .heads = 2");
}

TEST_CASE("uniform initial weights have the variance 2 over the sum of the fans") {
  ParameterTable table;
  table.add("weight", {100, 300}, Initializer::weights(WeightDistribution::xavier_uniform, 100, 300, 0.5));
  auto const theta = Parameters<Tensor<double>>::initialized(table, {3});
  auto const n = static_cast<double>(theta[0].count()), variance = 0.25 * 2 / 400;
  CHECK(std::abs(dot(theta[0], theta[0]) / n / variance - 1) < 5 * std::sqrt(0.8 / n));
  CHECK(magnitude(theta[0]) <= std::sqrt(3 * variance));
  CHECK(magnitude(theta[0]) > 0.99 * std::sqrt(3 * variance));
}

TEST_CASE("layers of sizes that arithmetic cannot hold are rejected by name") {
  constexpr auto most = std::numeric_limits<Index>::max();
  ParameterTable table;
  auto const rejected = [](auto const& make, std::string_view name, std::string_view number) {
    check_fails<ErrorCode::config>(make, {name, number});
  };
  rejected([&] { Convolution{table, "a", most, 1}; }, "a: channels in", "9223372036854775807");
  rejected([&] { Convolution{table, "b", 1, 0}; }, "b: channels out", "found 0");
  rejected([&] { Convolution{table, "c", 1, 1, {.kernel = most}}; }, "c: kernel", "9223372036854775807");
  rejected([&] { Convolution{table, "d", 1, 1, {.stride = 0}}; }, "d: stride", "found 0");
  rejected([&] { NormalizedConvolution{table, "e", "n", most, 1, {}}; }, "e: channels in",
           "9223372036854775807");
  rejected([&] { SelfAttention{table, "f", most, 1, {}}; }, "f: channels", "9223372036854775807");
  rejected([&] { Normalization{table, "g", 8, {.epsilon = 0}}; }, "g: epsilon", "found 0");
  check_fails<ErrorCode::shape>([&] { Linear{table, "h", most, 2}; }, {"number of elements"});
}
