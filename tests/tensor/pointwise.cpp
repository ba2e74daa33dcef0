// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "../support/rounding.hpp"
#include "cases.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Two functions beside each other: in double the reference rounds as well.
template <class S>
inline constexpr double tolerance = 2 * function_units * unit_roundoff<S>;

/// The functions of SIMD registers are not the C library's, and the worst of 5000 numbers is beyond the mean.
template <class S>
inline constexpr double elementwise_tolerance = 6 * function_units * unit_roundoff<S>;

template <class F>
double exact(double a, double b) {
  if constexpr (is_binary<F>) {
    return F::of(a, b);
  } else {
    return F::of(a);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("every element-wise function on the CPU agrees with the reference", S, float, double) {
  for_each_type(AllPointwise{}, []<class F>() {
    PointwiseCases<F>::each([](auto const& c) {
      CAPTURE(c.text());
      auto const x = operands<S>(c);
      std::array<Tensor<double, Reference>, std::tuple_size_v<decltype(c.shapes)>> wide;
      for (std::size_t k = 0; k < x.size(); ++k) wide[k] = convert<double, Reference>(x[k]);
      auto const error = relative_error(compute(c.op, x), compute(c.op, wide));
      CHECK(error <= tolerance<S>);
    });
  });
}

TEST_CASE_TEMPLATE("every element of an element-wise function is close on its own", S, float, double) {
  for_each_type(AllPointwise{}, []<class F>() {
    auto const a = random<S>(Shape{5000}, 1, domain<F>[0], domain<F>[1]);
    auto const b = random<S>(Shape{5000}, 2, domain<F>[0], domain<F>[1]);
    Tensor<S> y;
    if constexpr (is_binary<F>) {
      y = apply(pointwise_op_t<F>{}, a, b);
    } else {
      y = apply(pointwise_op_t<F>{}, a);
    }
    auto worst = 0.0;
    for (Index i = 0; i < a.count(); ++i) {
      auto const e = exact<F>(static_cast<double>(a[i]), static_cast<double>(b[i]));
      worst = std::max(worst, std::abs(static_cast<double>(y[i]) - e) / std::max(std::abs(e), 0.01));
    }
    CHECK(worst <= elementwise_tolerance<S>);
  });
}

TEST_CASE_TEMPLATE("no element-wise function hides a NaN wherever it stands", S, float, double) {
  constexpr auto nan = std::numeric_limits<S>::quiet_NaN();
  for_each_type(AllPointwise{}, [&]<class F>() {
    for (Index const count : {1, 7, 8, 16, 33}) {
      auto const fine = Tensor<S>{Shape{count}, S(1)};
      for (Index at = 0; at < count; ++at) {
        auto bad = fine.clone();
        bad.mutable_data()[at] = nan;
        auto const check = [&](Tensor<S> const& y) {
          for (Index i = 0; i < count; ++i) REQUIRE(std::isnan(y[i]) == (i == at));
        };
        if constexpr (is_binary<F>) {
          check(apply(pointwise_op_t<F>{}, bad, fine));
          check(apply(pointwise_op_t<F>{}, fine, bad));
        } else {
          check(apply(pointwise_op_t<F>{}, bad));
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("element-wise functions saturate and overflow as they should", S, float, double) {
  constexpr auto inf = std::numeric_limits<S>::infinity();
  auto const at = [](auto const& f, S v) {
    Tensor<S> const y = f(Tensor<S>{Shape{3}, v});
    CHECK(same_bits(y.view(0, Shape{1}), y.view(2, Shape{1})));
    return y[0];
  };
  auto const exp_of = [](auto const& x) { return exp(x); };
  auto const sigmoid_of = [](auto const& x) { return sigmoid(x); };
  auto const silu_of = [](auto const& x) { return silu(x); };
  auto const gelu_of = [](auto const& x) { return gelu(x); };
  auto const mish_of = [](auto const& x) { return mish(x); };
  auto const tanh_of = [](auto const& x) { return tanh(x); };
  auto const log_of = [](auto const& x) { return log(x); };
  auto const sqrt_of = [](auto const& x) { return sqrt(x); };
  CHECK(at(gelu_of, S(1000)) == S(1000));
  CHECK(at(gelu_of, S(-1000)) == S(0));
  CHECK(at(gelu_of, S(1)) == doctest::Approx(0.8413447460685429).epsilon(1e-6));  // Φ(1)
  CHECK(at(mish_of, S(1000)) == S(1000));
  CHECK(at(mish_of, S(-1000)) == S(0));
  CHECK(at(mish_of, S(1)) == doctest::Approx(0.8650983882673103).epsilon(1e-6));  // of PyTorch
  CHECK(at(mish_of, S(-1)) == doctest::Approx(-0.3034014613741089).epsilon(1e-6));
  CHECK(at(mish_of, S(-20)) == doctest::Approx(-20 * std::exp(-20.0)).epsilon(1e-6));
  CHECK(at(exp_of, S(0)) == S(1));
  CHECK(at(exp_of, S(1000)) == inf);
  CHECK(at(exp_of, inf) == inf);
  CHECK(at(exp_of, S(-1000)) < std::numeric_limits<S>::min());
  CHECK(at(exp_of, -inf) < std::numeric_limits<S>::min());
  CHECK(at(sigmoid_of, S(0)) == S(0.5));
  CHECK(at(sigmoid_of, S(1000)) == S(1));
  CHECK(at(sigmoid_of, S(-1000)) == S(0));
  CHECK(at(silu_of, S(1000)) == S(1000));
  CHECK(at(silu_of, S(-1000)) == S(0));
  CHECK(at(tanh_of, S(1000)) == S(1));
  CHECK(at(tanh_of, S(-1000)) == S(-1));
  CHECK(at(log_of, S(1)) == S(0));
  CHECK(at(log_of, S(0)) == -inf);
  CHECK(std::isnan(at(log_of, S(-1))));
  CHECK(at(sqrt_of, S(0)) == S(0));
  CHECK(at(sqrt_of, S(4)) == S(2));
  CHECK(std::isnan(at(sqrt_of, S(-1))));
}

TEST_CASE_TEMPLATE("a chain of element-wise functions equals the same steps one by one", S, float, double) {
  auto const x = random<S>(Shape{5, 7, 11, 13}, 1);
  auto const y = random<S>(Shape{5, 7, 11, 13}, 2);
  auto const t = random<S>(Shape{5, 1, 1, 1}, 3, 0.1, 2);
  auto const c = random<S>(Shape{13}, 4);
  auto const same = [](Tensor<S> const& fused, Tensor<S> const& steps) {
    CHECK(relative_error(fused, convert<double, Cpu>(steps)) <= tolerance<S>);
    return true;
  };

  Tensor<S> const tx = t * x;
  Tensor<S> const cy = c * y;
  Tensor<S> const sum = tx + cy;
  CHECK(same(t * x + c * y, sum));

  Tensor<S> const difference = x - y;
  Tensor<S> const squared = square(difference);
  Tensor<S> const shifted = squared + 0.01;
  Tensor<S> const root = sqrt(shifted);
  Tensor<S> const huber = root - 0.1;
  CHECK(same(sqrt(square(x - y) + 0.01) - 0.1, huber));

  Tensor<S> const a = exp(x);
  Tensor<S> const b = a / t;
  Tensor<S> const d = tanh(b);
  Tensor<S> const e = silu(y);
  Tensor<S> const f = d * e;
  Tensor<S> const g = -f;
  Tensor<S> const h = cos(g);
  Tensor<S> const i = 1 - h;
  CHECK(same(1 - cos(-(tanh(exp(x) / t) * silu(y))), i));
}

TEST_CASE("an expression held by auto is computed anew at each use") {
  auto x = Tensor<float>{Shape{3}, 1.0F};
  auto const twice = 2 * x;
  CHECK(evaluated(twice)[0] == 2.0F);
  x.mutable_data()[0] = 5.0F;
  CHECK(evaluated(twice)[0] == 10.0F);
}

TEST_CASE("an expression may be passed where a value is expected") {
  auto const x = random<double>(Shape{4, 6}, 1);
  auto const w = random<double>(Shape{6, 5}, 2);
  Tensor<double> const doubled = x + x;
  CHECK(same_bits(linear(x + x, w), linear(doubled, w)));
  CHECK(same_bits(sum_to(2 * x - x, Shape{6}), sum_to(x, Shape{6})));
}

TEST_CASE("numbers of any arithmetic type mix into expressions on either side") {
  auto const x = Tensor<float>{Shape{2}, 3.0F};
  auto const first = [](Tensor<float> const& y) { return y[1]; };
  CHECK(first(x + 1) == 4.0F);
  CHECK(first(1 + x) == 4.0F);
  CHECK(first(x - 1.0F) == 2.0F);
  CHECK(first(1.0 - x) == -2.0F);
  CHECK(first(x * 2L) == 6.0F);
  CHECK(first(2U * x) == 6.0F);
  CHECK(first(x / 2) == 1.5F);
  CHECK(first(6 / x) == 2.0F);
}

TEST_CASE("operands that do not broadcast are a shape_error that names both shapes") {
  auto const a = Tensor<float>{Shape{2, 3}, 1.0F};
  auto const b = Tensor<float>{Shape{2, 4}, 1.0F};
  auto const text = [](auto const& f) {
    try {
      f();
    } catch (shape_error const& e) {
      return std::string{e.what()};
    }
    return std::string{"no shape_error"};
  };
  for (auto const& message : {text([&] { evaluated(a + b); }), text([&] { evaluated(exp(a) * (b - 1)); })}) {
    CHECK(message.find("(2, 3)") != std::string::npos);
    CHECK(message.find("(2, 4)") != std::string::npos);
  }
}
