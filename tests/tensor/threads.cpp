// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>

#include "cases.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class S, class Cases>
void check_operation() {
  Cases::batches([](auto const& of) {
    auto const c = of(64);
    CAPTURE(c.text());
    auto const x = operands<S>(c);
    auto const with = [&](unsigned count) {
      Threads const guard{count};
      return compute(c.op, x);
    };
    auto const one = with(1);
    for (auto const count : {2U, 3U, 4U, 8U}) {
      CAPTURE(count);
      CHECK(same_bits(with(count), one));
    }
  });
}

}  // namespace

TEST_CASE_TEMPLATE("the number of threads changes no bit of any operation", S, float, double) {
  for_each_type(AllOps{}, []<class Op>() { check_operation<S, Cases<Op>>(); });
}

TEST_CASE_TEMPLATE("the number of threads changes no bit of any element-wise function", S, float, double) {
  for_each_type(AllPointwise{}, []<class F>() { check_operation<S, PointwiseCases<F>>(); });
}

TEST_CASE("the number of threads changes no bit of large sums and products and draws") {
  auto const with = [](unsigned count, auto const& f) {
    Threads const guard{count};
    return f();
  };
  auto const unchanged = [&](auto const& f) {
    auto const one = with(1, f);
    for (auto const count : {2U, 3U, 4U, 8U})
      if (!same_bits(with(count, f), one)) return false;
    return true;
  };
  auto const numbers = random<float>(Shape{300007}, 1);
  auto const matrix = random<float>(Shape{1003, 307}, 2);
  auto const weight = random<float>(Shape{307, 211}, 3);
  auto const image = random<float>(Shape{3, 29, 31, 16}, 4);
  auto const kernel = random<float>(Shape{3, 3, 16, 24}, 5);
  CHECK(unchanged([&] { return sum(numbers); }));
  CHECK(unchanged([&] { return sum_to(matrix, Shape{307}); }));
  CHECK(unchanged([&] { return sum_to(matrix, Shape{1003, 1}); }));
  CHECK(unchanged([&] { return linear(matrix, weight); }));
  CHECK(unchanged([&] { return conv2d(image, kernel); }));
  CHECK(unchanged([&] { return evaluated(exp(numbers) * numbers + sin(numbers)); }));
  CHECK(unchanged([&] { return normal<float>(Shape{100, 1000}, Key{1, 2}); }));
}
