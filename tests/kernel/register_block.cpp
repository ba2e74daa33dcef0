// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu/register_block.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

enum class From { zero, bias, accumulated };

template <class S>
struct Factors {
  static constexpr Index depth = 37, width = cpu::Block<S>::width, height = cpu::Block<S>::height;
  Tensor<S> a = random<S>({height * 64}, 1), panel = random<S>({depth, width}, 2);
  Tensor<S> bias = random<S>({width}, 3), c = random<S>({height, width}, 4);

  /// With columns of stride 1 in runs of 16, as Winograd's tiles lie, or rows of stride 1.
  template <bool UnitColumns>
  cpu::Strided<S> left() const {
    if constexpr (UnitColumns) return {a.data(), 16, 1, 16, 16 * height};
    return {a.data(), 1, height};
  }
};

template <class S, bool UnitColumns>
Tensor<S> product(Factors<S> const& of, Index rows, From from) {
  using O = Factors<S>;
  auto c = Tensor<S>{of.c.shape()};
  std::copy_n(of.c.data(), c.count(), c.mutable_data());
  cpu::block_for<S, UnitColumns>(rows)(
      of.template left<UnitColumns>(), of.panel.data(), O::width, 0, O::depth, c.mutable_data(), O::width,
      {.accumulate = from == From::accumulated, .bias = from == From::bias ? of.bias.data() : nullptr});
  return c;
}

/// The same by plain loops.
template <class S, bool UnitColumns>
Tensor<double> exact_product(Factors<S> const& of, Index rows, From from) {
  using O = Factors<S>;
  auto const left = of.template left<UnitColumns>();
  auto c = convert<double, Cpu>(of.c);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < O::width; ++j) {
      auto& sum = c.mutable_data()[i * O::width + j];
      if (from != From::accumulated) sum = from == From::bias ? static_cast<double>(of.bias[j]) : 0.0;
      for (Index k = 0; k < O::depth; ++k) {
        auto const at = i * left.rows + k / left.run * left.jump + k % left.run * left.columns;
        sum += static_cast<double>(of.a[at]) * static_cast<double>(of.panel[k * O::width + j]);
      }
    }
  return c;
}

template <class S, bool UnitColumns>
void agrees_with_plain_loops() {
  auto const of = Factors<S>{};
  // The plain loops are in double: for S = double they round as well.
  auto const allowed = 2 * sum_units(Factors<S>::depth) * unit_roundoff<S>;
  for (auto const from : {From::zero, From::bias, From::accumulated})
    for (Index rows = 1; rows <= Factors<S>::height; ++rows) {
      CAPTURE(static_cast<int>(from));
      CAPTURE(rows);
      CHECK(relative_error(product<S, UnitColumns>(of, rows, from),
                           exact_product<S, UnitColumns>(of, rows, from)) <= allowed);
    }
}

}  // namespace

TEST_CASE("a register block agrees with plain loops") {
  agrees_with_plain_loops<float, true>();
  agrees_with_plain_loops<float, false>();
  agrees_with_plain_loops<double, true>();
  agrees_with_plain_loops<double, false>();
}

TEST_CASE_TEMPLATE("products of a long depth keep the error of short ones", S, float, double) {
  // Terms of one sign, whose partial sums grow: added one after another they would lose √(depth / 512) times
  // as much.
  for (Index const depth : {512, 8192, 65536}) {
    CAPTURE(depth);
    auto const a = random<S>({Factors<S>::height, depth}, 1, 0.5, 1.5);
    auto const panel = random<S>({depth, Factors<S>::width}, 2, 0.5, 1.5);
    auto c = Tensor<S>{{Factors<S>::height, Factors<S>::width}};
    cpu::block_for<S, true>(Factors<S>::height)({a.data(), depth, 1}, panel.data(), c.shape()[1], 0, depth,
                                                c.mutable_data(), c.shape()[1], {});
    auto difference = 0.0;
    for (Index i = 0; i < c.count(); ++i) {
      long double sum = 0;
      for (Index k = 0; k < depth; ++k)
        sum += static_cast<long double>(a[i / c.shape()[1] * depth + k]) *
               static_cast<long double>(panel[k * c.shape()[1] + i % c.shape()[1]]);
      difference += std::pow(static_cast<double>(static_cast<long double>(c[i]) / sum - 1), 2);
    }
    CHECK(std::sqrt(difference / static_cast<double>(c.count())) <= sum_units(512) * unit_roundoff<S>);
  }
}

TEST_CASE("no bit of a row depends on how many rows a register block computes beside it") {
  auto const of = Factors<float>{};
  constexpr auto width = Factors<float>::width;
  auto const all = product<float, true>(of, Factors<float>::height, From::bias);
  for (Index rows = 1; rows < Factors<float>::height; ++rows) {
    auto const some = product<float, true>(of, rows, From::bias);
    CHECK(std::equal(all.data(), all.data() + rows * width, some.data()));
  }
}
