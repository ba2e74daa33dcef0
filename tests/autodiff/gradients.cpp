// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <cstdint>

#include <doctest/doctest.h>

#include "../tensor/cases.hpp"
#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Gradients and tangents of the batches of an operation for 1, 2, 3, 4 and 8 threads.
template <class Cases>
void threads_change_nothing() {
  Cases::batches([](auto const& of) {
    auto const c = of(64);
    CAPTURE(c.text());
    constexpr auto n = std::tuple_size_v<decltype(c.shapes)>;
    auto const x = operands<float>(c);
    auto const u = directions(x, 10);
    auto const v = random<float>(compute(c.op, x).shape(), 20);
    auto const with = [&](unsigned count) {
      Threads const guard{count};
      return std::pair{reverse(c.op, x, v, all<n>), forward(c.op, x, u, all<n>).tangent};
    };
    auto const one = with(1);
    for (auto const count : {2U, 3U, 4U, 8U}) {
      CAPTURE(count);
      auto const more = with(count);
      for (std::size_t k = 0; k < n; ++k) CHECK(same_bits(more.first[k], one.first[k]));
      CHECK(same_bits(more.second, one.second));
    }
  });
}

/// Gradients of operands that belong to samples, in a batch of 64 and alone.
template <class Cases>
void samples_stand_alone() {
  constexpr Index samples = 64;
  Cases::batches([](auto const& of) {
    auto const c = of(samples);
    auto const one = of(1);
    CAPTURE(c.text());
    constexpr auto n = std::tuple_size_v<decltype(c.shapes)>;
    auto const x = operands<float>(c);
    auto const v = random<float>(compute(c.op, x).shape(), 20);
    auto const whole = reverse(c.op, x, v, all<n>);
    auto different = 0;
    for (Index i = 0; i < samples; ++i) {
      auto const sample = [i](Tensor<float> const& batch) {
        auto const& s = batch.shape();
        return batch.view(i * (s.count() / samples), s.with(0, 1));
      };
      auto part = x;
      for (std::size_t k = 0; k < n; ++k)
        if (x[k].shape() != one.shapes[k]) part[k] = sample(x[k]);
      auto const alone = reverse(one.op, part, sample(v), all<n>);
      for (std::size_t k = 0; k < n; ++k)
        if (x[k].shape() != one.shapes[k] && !same_bits(alone[k], sample(whole[k]))) ++different;
    }
    CHECK(different == 0);
  });
}

}  // namespace

TEST_CASE("the number of threads changes no bit of any operation's derivatives") {
  for_each_type(AllOps{}, []<class Op>() { threads_change_nothing<Cases<Op>>(); });
}

TEST_CASE("the number of threads changes no bit of any function's derivatives") {
  for_each_type(AllPointwise{}, []<class F>() { threads_change_nothing<PointwiseCases<F>>(); });
}

TEST_CASE("the number of threads changes no bit of the gradients of large products") {
  auto const check = [](auto const& op, auto const& x) {
    constexpr auto n = std::tuple_size_v<std::remove_cvref_t<decltype(x)>>;
    auto const v = random<float>(compute(op, x).shape(), 20);
    auto const with = [&](unsigned count) {
      Threads const guard{count};
      return reverse(op, x, v, all<n>);
    };
    auto const one = with(1);
    for (auto const count : {2U, 3U, 4U, 8U}) {
      auto const more = with(count);
      for (std::size_t k = 0; k < n; ++k) CHECK(same_bits(more[k], one[k]));
    }
  };
  check(op::Linear{}, operands<float>(make_case(op::Linear{}, Shape{1003, 61}, Shape{61, 47}, Shape{47})));
  check(op::Conv2d{},
        operands<float>(make_case(op::Conv2d{}, Shape{5, 29, 31, 6}, Shape{3, 3, 6, 9}, Shape{9})));
  check(op::Conv2d{},
        operands<float>(make_case(op::Conv2d{}, Shape{40, 21, 18, 16}, Shape{3, 3, 16, 20}, Shape{20})));
}

TEST_CASE("a sample's gradient is the same bits alone and in a batch of 64 for every operation") {
  for_each_type(AllOps{}, []<class Op>() { samples_stand_alone<Cases<Op>>(); });
}

TEST_CASE("a sample's gradient is the same bits alone and in a batch of 64 for every function") {
  for_each_type(AllPointwise{}, []<class F>() { samples_stand_alone<PointwiseCases<F>>(); });
}

TEST_CASE("the gradients of a convolution over many blocks of tiles are adjoint to its tangents") {
  auto const c = make_case(op::Conv2d{}, Shape{60, 16, 15, 16}, Shape{3, 3, 16, 17}, Shape{17});
  auto const x = operands<double>(c);
  auto const u = directions(x, 10);
  auto const tangent = forward(c.op, x, u, all<3>).tangent;
  auto const v = random<double>(tangent.shape(), 20);
  auto const gradients = reverse(c.op, x, v, all<3>);
  CHECK(std::abs(dot(v, tangent) - dot_all(gradients, u)) <= 1e-12 * norm(v) * norm(tangent));
}
