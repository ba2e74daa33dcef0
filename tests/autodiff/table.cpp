// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("the table of operations has rows for every operation and function") {
  auto const count_rows = [&]<class Op>() {
    std::size_t rows = 0;
    Row<Op>::each([&](auto const&) { ++rows; });
    CHECK(rows >= 3);
  };
  for_each_type(AllOps{}, [&]<class Op>() {
    CAPTURE(Row<Op>::name);
    count_rows.template operator()<Op>();
  });
  for_each_type(AllPointwise{}, [&]<class F>() { count_rows.template operator()<pointwise_op_t<F>>(); });
}

TEST_CASE("every operation belongs to a group and every group has operations") {
  std::size_t of_layout = 0;
  std::size_t of_product = 0;
  std::size_t of_normalization = 0;
  for_each_row<Group::layout>([&](auto const&) { ++of_layout; });
  for_each_row<Group::product>([&](auto const&) { ++of_product; });
  for_each_row<Group::normalization>([&](auto const&) { ++of_normalization; });
  std::size_t rows = 0;
  for_each_type(AllOps{}, [&]<class Op>() { Row<Op>::each([&](auto const&) { ++rows; }); });
  CHECK(of_layout > 0);
  CHECK(of_product > 0);
  CHECK(of_normalization > 0);
  CHECK(of_layout + of_product + of_normalization == rows);
}

TEST_CASE_TEMPLATE("saturated functions have finite derivatives", S, float, double) {
  auto const x =
      std::array{Tensor<S>{Shape{4}, std::span<S const>{std::array{S(-1000), S(-100), S(100), S(1000)}}}};
  auto const one = Tensor<S>{Shape{4}, S(1)};
  auto const derivative = [&]<class F>(F) {
    auto const forward_mode = forward(pointwise_op_t<F>{}, x, std::array{one}, 1).tangent;
    auto const reverse_mode = reverse(pointwise_op_t<F>{}, x, one, 1)[0];
    CHECK(same_bits(forward_mode, reverse_mode));
    return forward_mode;
  };
  auto const sigmoid = derivative(pointwise::Sigmoid{});
  auto const silu = derivative(pointwise::Silu{});
  auto const tanh = derivative(pointwise::Tanh{});
  for (Index i = 0; i < 4; ++i) {
    CHECK(std::abs(sigmoid[i]) < S(1e-30));
    CHECK(std::abs(tanh[i]) < S(1e-30));
    CHECK(std::abs(silu[i] - (i < 2 ? S(0) : S(1))) < S(1e-30));
  }
}

TEST_CASE("the derivatives of saturating functions are right to rounding from tail to tail") {
  constexpr Index count = 801;
  auto x = std::array{Tensor<double>{Shape{count}}};
  for (Index i = 0; i < count; ++i) x[0].mutable_data()[i] = static_cast<double>(i - 400) / 10;
  auto const one = Tensor<double>{Shape{count}, 1.0};
  auto const sigmoid = reverse(pointwise_op_t<pointwise::Sigmoid>{}, x, one, 1)[0];
  auto const silu = reverse(pointwise_op_t<pointwise::Silu>{}, x, one, 1)[0];
  auto const tanh = reverse(pointwise_op_t<pointwise::Tanh>{}, x, one, 1)[0];
  for (Index i = 0; i < count; ++i) {
    auto const v = x[0][i];
    auto const e = std::exp(-std::abs(v));
    auto const slope = e / ((1 + e) * (1 + e));
    auto const s = 1 / (1 + std::exp(-v));
    CHECK(std::abs(sigmoid[i] - slope) <= 3e-16);
    CHECK(std::abs(silu[i] - (s + v * slope)) <= 2e-16 * (1 + std::abs(v)));
    CHECK(std::abs(tanh[i] - 1 / (std::cosh(v) * std::cosh(v))) <= 3e-16);
  }
}
