// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Extents drawn at random, the same ones in every run.
class Draws {
 public:
  explicit Draws(std::uint32_t stream) : stream_{stream} {}

  Index operator()(Index low, Index high) {
    auto const bits = philox(Key{20260, stream_}, {}, block_++)[0];
    return low + static_cast<Index>(bits % static_cast<std::uint32_t>(high - low + 1));
  }

 private:
  std::uint32_t stream_;
  std::uint32_t block_ = 0;
};

/// Plain loops in double would take minutes beyond this many multiply-adds.
constexpr Index affordable = 3'000'000;
constexpr int trials = 60;

using X = Tensor<float>;
using Exact = Tensor<double, Reference>;

Exact exact(X const& x) { return convert<double, Reference>(x); }

/// The CPU's result against plain loops in double, relative root mean square.
template <class Op, std::size_t N>
double error(Case<Op, N> const& c) {
  auto const x = operands<float>(c);
  std::array<Exact, N> wide;
  for (std::size_t k = 0; k < N; ++k) wide[k] = exact(x[k]);
  return relative_error(compute(c.op, x), compute(c.op, wide));
}

template <class Op, std::size_t N>
void agrees(Case<Op, N> const& c) {
  CAPTURE(c.text());
  CHECK(error(c) <= rounding_error<float>(c.op, c.shapes));
}

/// Of maps that only move numbers.
template <class Op, std::size_t N>
void same(Case<Op, N> const& c) {
  CAPTURE(c.text());
  CHECK(error(c) == 0);
}

/// <g, J u> = <Jᵀ g, u> for a map that is linear in each operand, with J u from the plain loops.
template <class Op>
void adjoint(Op const& op, Shape const& left, Shape const& right) {
  auto const a = random<float>(left, 1), b = random<float>(right, 2);
  auto const u = random<float>(left, 3), v = random<float>(right, 4);
  auto const g = random<float>(op.result(left, right), 5);
  Tape<X> tape;
  auto const watched_a = tape.watch(a), watched_b = tape.watch(b);
  tape.backward(apply(op, watched_a, watched_b), g);
  auto const allowed = gradient_rounding_error<float>(op, std::array{left, right}, g.shape());
  auto const check = [&](X const& gradient, X const& direction, Exact const& along) {
    auto const size = norm(g) * norm(along) + norm(gradient) * norm(direction);
    CHECK(std::abs(dot(gradient, direction) - dot(exact(g), along)) <= allowed * size);
  };
  check(tape.gradient(watched_a), u, apply(op, exact(u), exact(b)));
  check(tape.gradient(watched_b), v, apply(op, exact(a), exact(v)));
}

/// The tangent of each operand against that of the plain loops, and the gradient adjoint to it.
template <class Op, std::size_t N>
void tangents(Op const& op, std::array<Shape, N> const& shapes) {
  std::array<X, N> x;
  std::array<Exact, N> wide;
  for (std::size_t k = 0; k < N; ++k) {
    x[k] = random<float>(shapes[k], static_cast<std::uint32_t>(k));
    wide[k] = exact(x[k]);
  }
  for (std::size_t k = 0; k < N; ++k) {
    auto const u = random<float>(shapes[k], 8);
    auto const along = [&]<class T>(std::array<T, N> const& at, T const& direction) {
      std::array<Dual<T>, N> duals;
      for (std::size_t i = 0; i < N; ++i) duals[i] = i == k ? Dual<T>{at[i], direction} : Dual<T>{at[i]};
      return compute(op, duals).tangent;
    };
    auto const expected = along(wide, exact(u));
    auto const allowed = gradient_rounding_error<float>(op, shapes, expected.shape());
    CHECK(relative_error(along(x, u), expected) <= allowed);
    auto const g = random<float>(expected.shape(), 9);
    Tape<X> tape;
    std::array<Variable<X>, N> watched;
    for (std::size_t i = 0; i < N; ++i) watched[i] = i == k ? tape.watch(x[i]) : Variable<X>{x[i]};
    tape.backward(compute(op, watched), g);
    auto const gradient = tape.gradient(watched[k]);
    auto const size = norm(g) * norm(expected) + norm(gradient) * norm(u);
    CHECK(std::abs(dot(gradient, u) - dot(exact(g), expected)) <= allowed * size);
  }
}

}  // namespace

TEST_CASE("convolutions of any shape agree with plain loops, and so do their gradients") {
  Draws draw{1};
  for (int trial = 0; trial < trials;) {
    auto const n = draw(0, 9), h = draw(1, 65), w = draw(1, 65), in = draw(1, 70), out = draw(1, 70);
    auto const k = 2 * draw(0, 2) + 1, l = draw(0, 2) == 0 ? 2 * draw(0, 2) + 1 : k;
    auto const op = op::Conv2d{draw(0, 2) == 0 ? 2 : 1};
    auto const x = Shape{n, h, w, in}, weight = Shape{k, l, in, out};
    auto const y = op.result(x, weight);
    if (y.count() * k * l * in > affordable) continue;
    ++trial;
    CAPTURE(x.text());
    CAPTURE(weight.text());
    CAPTURE(op.stride);
    agrees(make_case(op, x, weight));
    agrees(make_case(op, x, weight, Shape{n, 1, 1, out}));
    agrees(make_case(op::Conv2d{op.stride, -0.7}, x, weight, Shape{out}, y));
    adjoint(op, x, weight);
  }
}

TEST_CASE("products of any shape agree with plain loops, and so do their gradients") {
  Draws draw{2};
  for (int trial = 0; trial < trials; ++trial) {
    auto const rows = draw(0, 65), in = draw(1, 70), out = draw(1, 70);
    agrees(make_case(op::Linear{}, Shape{rows, in}, Shape{in, out}, Shape{out}));
    adjoint(op::Linear{}, {rows, in}, {in, out});
    auto const heads = draw(1, 4), n = draw(0, 9), t = draw(1, 65), s = draw(1, 65), c = heads * draw(1, 17);
    auto const scores = op::AttentionScores{.heads = heads, .scale = 0.3};
    agrees(make_case(scores, Shape{n, t, c}, Shape{n, s, c}));
    adjoint(scores, {n, t, c}, {n, s, c});
    agrees(make_case(op::Attention{heads}, Shape{n, t, c}, Shape{n, s, c}, Shape{n, s, c}));
    if (trial % 4 == 0)
      tangents(op::Attention{heads}, std::array{Shape{n, t, c}, Shape{n, s, c}, Shape{n, s, c}});
    for (auto const transposed : {false, true}) {
      auto const mix = op::AttentionMix{.scale = 0.3, .transposed = transposed};
      auto const weights = transposed ? Shape{n, heads, s, t} : Shape{n, heads, t, s};
      agrees(make_case(mix, weights, Shape{n, s, c}));
      adjoint(mix, weights, {n, s, c});
    }
  }
}

TEST_CASE("normalisations of any shape agree with plain loops") {
  Draws draw{3};
  for (int trial = 0; trial < trials; ++trial) {
    auto const groups = draw(1, 7), n = draw(0, 9), c = groups * draw(1, 10);
    auto const x = Shape{n, draw(1, 65), draw(1, 9), c};
    // Two numbers or more to a group: of one alone nothing is left.
    if (x[1] * x[2] * c / groups < 2) continue;
    for (auto const silu : {false, true}) {
      auto const op = op::GroupNorm{.groups = groups, .epsilon = 1e-5, .silu = silu};
      agrees(make_case(op, x, Shape{c}, Shape{c}));
      agrees(make_case(op, x, Shape{n, 1, 1, c}, Shape{n, 1, 1, c}));
    }
    agrees(make_case(op::Softmax{}, x));
  }
}

TEST_CASE("maps that move numbers, of any shape, agree with plain loops") {
  Draws draw{4};
  for (int trial = 0; trial < trials; ++trial) {
    auto const n = draw(0, 9), h = draw(1, 32), w = draw(1, 33), c = draw(1, 70), p = draw(1, 4);
    same(make_case(op::Upsample{}, Shape{n, h, w, c}));
    agrees(make_case(op::Downsample{}, Shape{n, 2 * h, 2 * w, c}));
    agrees(make_case(op::Blur{}, Shape{n, h, w, c}));
    same(make_case(op::MaxPool{}, Shape{n, 2 * h, 2 * w, c}));
    auto const height = draw(1, 40), width = draw(1, 40);
    agrees(make_case(op::Resize{height, width}, Shape{n, h, w, c}));
    agrees(make_case(op::Resize{height, width, true}, Shape{n, h, w, c}));
    agrees(make_case(op::Resize{height, width, false, 0.0}, Shape{n, h, w, c}));
    agrees(make_case(op::Resize{height, width, true, 0.0}, Shape{n, h, w, c}));
    same(make_case(op::Concat{}, Shape{n, h, w, c}, Shape{n, h, w, p}));
    auto const begin = draw(0, c);
    same(make_case(op::Slice{begin, draw(begin, c)}, Shape{n, h, w, c}));
    if (p * p * n * h * w * c > affordable) continue;
    same(make_case(op::SpaceToDepth{p}, Shape{n, p * h, p * w, c}));
    same(make_case(op::DepthToSpace{p}, Shape{n, h, w, p * p * c}));
  }
}
