// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <consistency/tensor/ops.hpp>

namespace consistency::test {

/// How far numbers may be from exact ones: root mean square over a tensor, relative to the exact numbers'
/// own. Roundings have independent signs, so their squares add up (Higham & Mary 2019); nothing here knows
/// how wide a register is. A term that is lost from a sum of n changes it by about 1 / √n, thousands of times
/// what is allowed, or by 1 / n, several times it, where all terms have one sign (tests/kernel/rounding.cpp).

/// u, the largest relative error of one rounding.
template <std::floating_point S>
inline constexpr double unit_roundoff = std::numeric_limits<S>::epsilon() / 2;

/// Additions that a rounding error passes through in a sum of n terms: in blocks of 512, then over the
/// blocks.
inline double passes(Index n) {
  Index const additions = std::min<Index>(n, 512) + n / 512;
  return static_cast<double>(additions);
}

/// Units that a sum of n terms loses: √(passes / 6) times the 0.42 u of a mean rounding where terms have both
/// signs, √(passes / 3) times it where they have one. Twice that.
inline double sum_units(Index n) { return 0.5 * std::sqrt(passes(n)); }
/// The same where terms are added one after another, as in tensor/reference/.
inline double ordered_sum_units(Index n) { return 0.5 * std::sqrt(static_cast<double>(n)); }

/// Units of an operation that adds up nothing: a few functions of 2 to 4 each.
inline constexpr double function_units = 8;

/// What Winograd's F(4×4, 3×3) makes of a rounding error in its products, root mean square over a tile:
/// ⅓ mean_i Σ_f A²_if |G_f|² |B_f|² in one dimension, squared for two and rooted. F(2×2, 3×3) has 5 / 3.
inline constexpr double winograd_growth = 4.8;

/// One sum of an operation, of `terms` numbers, whose errors are multiplied by `growth` on their way to the
/// result.
struct SumOf {
  Index terms = 0;
  double growth = 1;
};

inline SumOf sum_of(auto const&, auto const&) { return {0}; }
inline SumOf sum_of(op::SumTo const& op, auto const& x) {
  return {x[0].count() / std::max<Index>(1, op.target.count())};
}
inline SumOf sum_of(op::Blur const&, auto const&) { return {9}; }
inline SumOf sum_of(op::Softmax const&, auto const& x) { return {x[0].back()}; }
inline SumOf sum_of(op::GroupNorm const& op, auto const& x) {
  return {x[0][1] * x[0][2] * x[0][3] / op.groups};
}
inline SumOf sum_of(op::Linear const&, auto const& x) { return {x[1][0]}; }
inline SumOf sum_of(op::AttentionScores const& op, auto const& x) { return {x[0][2] / op.heads}; }
inline SumOf sum_of(op::AttentionMix const&, auto const& x) { return {x[1][1]}; }
inline SumOf sum_of(op::Attention const&, auto const& x) { return {x[1][1], 2}; }
inline SumOf sum_of(op::Conv2d const& op, auto const& x) {
  auto const& w = x[1];
  auto const transformed = w[0] == 3 && w[1] == 3 && op.stride == 1 && std::max(w[2], w[3]) >= 16;
  return transformed ? SumOf{w[0] * w[1] * w[2], winograd_growth} : SumOf{w[0] * w[1] * w[2]};
}

/// What the kernel of an operation on operands of these shapes may differ by from plain loops in double.
template <class S, class Op>
double rounding_error(Op const& op, auto const& shapes) {
  auto const sum = sum_of(op, shapes);
  auto units = sum.growth * (function_units + sum_units(sum.terms));
  // In double the plain loops round as well.
  if (!std::same_as<S, float>) units += function_units + ordered_sum_units(sum.terms);
  return units * unit_roundoff<S>;
}

/// The same for the gradients of <op(x…), g> in each operand, or for <g, dy> = Σ <gradient, dx>: chains three
/// times as long, and sums over all that a number takes part in.
template <class S, class Op>
double gradient_rounding_error(Op const& op, auto const& shapes, Shape const& result) {
  auto sum = sum_of(op, shapes);
  auto const work = result.count() * std::max<Index>(1, sum.terms);
  for (auto const& x : shapes) sum.terms = std::max(sum.terms, work / std::max<Index>(1, x.count()));
  auto units = 3 * sum.growth * (function_units + sum_units(sum.terms));
  if (!std::same_as<S, float>) units *= 2;
  return units * unit_roundoff<S>;
}

}  // namespace consistency::test
