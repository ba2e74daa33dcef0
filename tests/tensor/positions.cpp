// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>

#include "cases.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr Index samples = 64;

/// Sample i of a batch as a view: it begins anywhere, aligned or not.
template <class S>
Tensor<S> sample(Tensor<S> const& batch, Index i, Shape const& one) {
  return batch.view(i * one.count(), one);
}

/// f on the whole batch against f on each sample alone. Operands whose shape does not depend on the batch are
/// shared.
template <class S, std::size_t N>
void samples_stand_alone(auto const& shapes_of, std::array<Tensor<S>, N> const& x, auto const& f) {
  auto const one = shapes_of(1);
  auto const whole = f(samples, x);
  auto different = 0;
  for (Index i = 0; i < samples; ++i) {
    auto part = x;
    for (std::size_t k = 0; k < N; ++k)
      if (x[k].shape() != one[k]) part[k] = sample(x[k], i, one[k]);
    auto const alone = f(Index{1}, part);
    if (!same_bits(sample(whole, i, alone.shape()), alone)) ++different;
    for (auto& p : part) p = p.clone();
    if (!same_bits(f(Index{1}, part), alone)) ++different;
  }
  CHECK(different == 0);
}

template <class S, class Cases>
void check_operation() {
  Cases::batches([](auto const& of) {
    auto const c = of(samples);
    CAPTURE(c.text());
    samples_stand_alone([&](Index n) { return of(n).shapes; }, operands<S>(c),
                        [&](Index n, auto const& x) { return compute(of(n).op, x); });
  });
}

}  // namespace

TEST_CASE_TEMPLATE("a sample's result is the same bits alone and in a batch of 64 for every operation", S,
                   float, double) {
  for_each_type(AllOps{}, []<class Op>() { check_operation<S, Cases<Op>>(); });
}

TEST_CASE_TEMPLATE("a sample's result is the same bits alone and in a batch of 64 for every function", S,
                   float, double) {
  for_each_type(AllPointwise{}, []<class F>() { check_operation<S, PointwiseCases<F>>(); });
}

TEST_CASE_TEMPLATE("a sample's result is the same bits alone and in a batch of 64 for chains", S, float,
                   double) {
  auto const check = [](auto const& shapes_of, auto const& chain) {
    auto const shapes = shapes_of(samples);
    std::array<Tensor<S>, std::tuple_size_v<std::remove_cvref_t<decltype(shapes)>>> x;
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = random<S>(shapes[k], static_cast<std::uint32_t>(k), 0.1, 2);
    samples_stand_alone(shapes_of, x,
                        [&](Index, auto const& v) -> Tensor<S> { return std::apply(chain, v); });
  };
  auto const images_and_times = [](Index n) {
    return std::array{Shape{n, 3, 5, 7}, Shape{n, 1, 1, 1}, Shape{n, 1, 1, 1}};
  };
  check(images_and_times, [](auto const& x, auto const& s, auto const& t) { return x + s * t; });
  check(images_and_times, [](auto const& x, auto const& s, auto const& t) { return x * s + s * t; });
  check(images_and_times, [](auto const& x, auto const& s, auto const& t) { return s * t - x * t; });
  check(images_and_times, [](auto const& x, auto const& s, auto const& t) {
    return s / (s * s + t * t) * x + exp(s * t) * square(x);
  });
  auto const vectors = [](Index n) { return std::array{Shape{n, 37}, Shape{37}, Shape{n, 1}}; };
  check(vectors, [](auto const& x, auto const& c, auto const& t) { return x * c + c * t; });
  check(vectors, [](auto const& x, auto const& c, auto const& t) { return t * t + (c * c - x); });
  auto const numbers = [](Index n) { return std::array{Shape{n}, Shape{n}, Shape{}}; };
  check(numbers, [](auto const& x, auto const& y, auto const& c) { return x * y + c * c; });
  check(numbers, [](auto const& x, auto const& y, auto const& c) { return sqrt(square(x - y) + c * c) - c; });
}
