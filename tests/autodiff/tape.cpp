// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstddef>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;
using V = Variable<T>;

}  // namespace

TEST_CASE("a variable that is used several times gathers all its gradients") {
  Tape<T> tape;
  auto const value = random<double>(Shape{5}, 1);
  auto const x = tape.watch(value);
  V const a = x * x;
  V const b = exp(x) * x;
  V const y = a + b + a * x + x;
  tape.backward(y);
  auto const g = tape.gradient(x);
  for (Index i = 0; i < 5; ++i) {
    auto const v = value[i];
    CHECK(g[i] == doctest::Approx(2 * v + std::exp(v) * (1 + v) + 3 * v * v + 1).epsilon(1e-14));
  }
}

TEST_CASE("backward without a cotangent differentiates the sum") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2, 3}, 3.0});
  tape.backward(square(x));
  for (auto const g : tape.gradient(x).values()) CHECK(g == 6.0);
}

TEST_CASE("a watched variable that is the result itself gets the cotangent") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2}, 3.0});
  auto const v = random<double>(Shape{2}, 1);
  tape.backward(x, v);
  CHECK(same_bits(tape.gradient(x), v));
}

TEST_CASE("the caller's cotangent is not written to") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{4}, 3.0});
  auto const v = random<double>(Shape{2, 2}, 1);
  auto const copy = v.clone();
  V const y = reshape(x, Shape{2, 2});
  V const z = reshape(y, Shape{2, 2}) + reshape(x, Shape{2, 2});
  tape.backward(reshape(z, Shape{2, 2}), v);
  CHECK(same_bits(v, copy));
  for (Index i = 0; i < 4; ++i) CHECK(tape.gradient(x)[i] == 2 * v[i]);
}

TEST_CASE("gradients that share memory with one another do not disturb each other") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{4}, 3.0});
  auto const w = tape.watch(T{Shape{4}, 2.0});
  V const y = reshape(x, Shape{2, 2});  // x's first gradient is a view of y's
  V const twice = concat(y, y);         // y's is gathered from two slices
  V const z = twice * concat(reshape(w, Shape{2, 2}), reshape(x, Shape{2, 2}));
  tape.backward(z);
  for (Index i = 0; i < 4; ++i) {
    CHECK(tape.gradient(x)[i] == 2.0 + 3.0 + 3.0);
    CHECK(tape.gradient(w)[i] == 3.0);
  }
}

TEST_CASE("a gradient that a node hands to two others is not added to in place") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{3}, 2.0});
  auto const w = tape.watch(T{Shape{3}, 5.0});
  V const early = square(x);
  auto const both = tape.record(T{Shape{3}, 7.0}, [a = x.node(), b = w.node()](Tape<T>& t, T const& g) {
    t.accumulate(a, g);
    t.accumulate(b, g);
  });
  tape.backward(both + early);
  CHECK(tape.gradient(x)[2] == 5.0);
  CHECK(tape.gradient(w)[2] == 1.0);
}

TEST_CASE("gradients are added to a slice of an arena") {
  auto arena = T{Shape{10}, 0.5};
  Tape<T> tape;
  auto const x = random<double>(Shape{3}, 1);
  auto const step = [&] {
    auto const a = tape.watch(x, arena.view(2, Shape{3}));
    auto const b = tape.watch(x, arena.view(5, Shape{3, 1}).reshaped(Shape{3}));
    tape.backward(a * a * b + a);
    CHECK(tape.gradient(a).data() == arena.data() + 2);
    tape.clear();
  };
  for (int repeat = 1; repeat <= 3; ++repeat) {
    step();
    for (Index i = 0; i < 10; ++i) {
      auto const v = i < 2 ? 0.0 : x[(i - 2) % 3];
      auto const once = i < 2 || i >= 8 ? 0.0 : i < 5 ? 2 * v * v + 1 : v * v;
      CHECK(arena[i] == doctest::Approx(0.5 + repeat * once).epsilon(1e-14));
    }
  }
}

TEST_CASE("constants have no place on the tape") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2}, 3.0});
  V const constant = T{Shape{2}, 5.0};
  V const product = constant * constant + 1;
  CHECK(constant.node() == -1);
  CHECK(product.node() == -1);
  CHECK(product.tape() == nullptr);
  tape.backward(x * product);
  CHECK(tape.gradient(x)[0] == 26.0);
}

TEST_CASE("tensors mix with variables as constants") {
  Tape<T> tape;
  auto const x = tape.watch(random<double>(Shape{3, 4}, 1));
  auto const w = random<double>(Shape{4, 2}, 2);
  auto const b = tape.watch(random<double>(Shape{2}, 3));
  V const y = linear(x, w, b) * T{Shape{}, 2.0};
  CHECK(y.node() >= 0);
  tape.backward(y);
  CHECK(tape.gradient(x).shape() == Shape{3, 4});
  CHECK(tape.gradient(b)[0] == 6.0);
}

TEST_CASE("the gradient of what the result does not depend on is undefined") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2}, 3.0});
  auto const other = tape.watch(T{Shape{2}, 3.0});
  V const unused = exp(other) * x;
  tape.backward(2 * x);
  CHECK(tape.gradient(x)[0] == 2.0);
  CHECK_FALSE(tape.gradient(other).defined());
}

TEST_CASE("stop_gradient lets exactly nothing through") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2}, 3.0});
  tape.backward(x * stop_gradient(x));
  CHECK(tape.gradient(x)[0] == 3.0);
  tape.clear();

  auto const z = tape.watch(T{Shape{2}, 3.0});
  V const target = exp(stop_gradient(z));
  CHECK(target.node() == -1);
  tape.backward(z - z + target);
  CHECK(tape.gradient(z)[0] == 0.0);
}

TEST_CASE("stop_gradient stops tangents and gradients of tangents") {
  Dual<T> const x{T{Shape{2}, 3.0}, T{Shape{2}, 1.0}};
  Dual<T> const y = x * stop_gradient(x);
  CHECK(y.tangent[0] == 3.0);
  CHECK_FALSE(Dual<T>{stop_gradient(x)}.tangent.defined());

  Tape<T> tape;
  auto const v = tape.watch(T{Shape{2}, 3.0});
  Dual<V> const d{v, V{T{Shape{2}, 1.0}}};
  Dual<V> const product = square(d) * stop_gradient(d);  // the tangent is 2 v · 3
  tape.backward(product.tangent);
  CHECK(tape.gradient(v)[0] == 6.0);
}

TEST_CASE("an operation that needs no numbers for its gradient keeps none") {
  Tape<T> tape;
  auto const x = tape.watch(random<double>(Shape{2, 4, 4, 3}, 1));
  auto const number_of = [&](auto const& f) {
    V h = exp(x);
    T const kept = h.value();
    V const y = f(h);
    h = V{};
    return kept.unique();
  };
  // exp itself keeps its input alone, so that its output is free when nobody uses it.
  CHECK(number_of([](V const& h) { return sum(h); }));
  CHECK(number_of([](V const& h) { return upsample(h); }));
  CHECK(number_of([](V const& h) { return downsample(h); }));
  CHECK(number_of([](V const& h) { return slice(h, 1, 2); }));
  CHECK(number_of([](V const& h) { return concat(h, h); }));
  CHECK(number_of([](V const& h) { return evaluated(2 * h - 1 + h); }));
  CHECK(number_of([](V const& h) { return softmax(h); }));
  CHECK_FALSE(number_of([](V const& h) { return evaluated(square(h)); }));
}

TEST_CASE("what a step saved for its backward pass is released as that pass consumes it") {
  Tape<T> tape;
  auto const x = tape.watch(random<double>(Shape{7}, 1));
  auto first_is_free = false;
  auto second_is_free = false;
  T first;
  T second;
  // A node that looks around when the gradient comes by.
  auto const probe = [&](V const& h, bool& free, T& watched) {
    return tape.record(h.value(), [&free, &watched, node = h.node()](Tape<T>& t, T const& g) {
      free = watched.unique();
      t.accumulate(node, g);
    });
  };
  V y = probe(x, first_is_free, first);
  {
    V const a = exp(y);
    first = a.value();
    V const b = probe(a, second_is_free, second);
    V const c = sin(b);
    second = c.value();
    y = c * c;
  }
  CHECK_FALSE(first.unique());
  CHECK_FALSE(second.unique());
  tape.backward(y);
  CHECK(second_is_free);
  CHECK(first_is_free);
  CHECK(tape.gradient(x).defined());
}

TEST_CASE("a tape that was cleared works like a new one") {
  Tape<T> tape;
  auto const value = random<double>(Shape{6}, 1);
  auto const gradient = [&] {
    auto const x = tape.watch(value);
    tape.backward(exp(x) * x);
    auto g = tape.gradient(x);
    tape.clear();
    return g;
  };
  auto const once = gradient();
  CHECK(same_bits(gradient(), once));
  auto const x = tape.watch(value);  // forgotten without a backward pass
  V const unused = exp(x);
  tape.clear();
  CHECK(same_bits(gradient(), once));
}

TEST_CASE("a tape longer than one chunk of its memory is played back whole") {
  Tape<T> tape;
  auto const x = tape.watch(T{Shape{2}, 1.0});
  for (int repeat = 0; repeat < 2; ++repeat) {
    V y = repeat == 0 ? x : tape.watch(T{Shape{2}, 1.0});
    auto const start = y;
    for (int i = 0; i < 3000; ++i) y = y * 1.0;
    tape.backward(y + y);
    CHECK(tape.gradient(start)[1] == 2.0);
    tape.clear();
  }
}

TEST_CASE("gradients of another shape are rejected and constants have none") {
  Tape<T> tape;
  CHECK_THROWS_AS(tape.watch(T(Shape{3}, 1.0), T(Shape{1}, 0.0)), shape_error);
  auto const x = tape.watch(T(Shape{3}, 2.0));
  CHECK_THROWS_AS(tape.backward(x, T(Shape{5, 3}, 1.0)), shape_error);
  CHECK_FALSE(tape.gradient(Variable<T>{T(Shape{3}, 1.0)}).defined());
}

TEST_CASE("the gradient of silu is finite where the exponential overflows") {
  using Single = Tensor<float>;
  Tape<Single> tape;
  auto const x = tape.watch(Single(Shape{4}, std::array{-1e4F, -90.F, 90.F, 1e4F}));
  Variable<Single> const y = silu(x);
  tape.backward(y);
  auto const g = tape.gradient(x);
  CHECK(g[0] == 0);
  CHECK(std::abs(g[1]) < 1e-30F);
  CHECK(g[2] == doctest::Approx(1));
  CHECK(g[3] == doctest::Approx(1));
}
