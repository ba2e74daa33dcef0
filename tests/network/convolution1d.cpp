// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/layer/convolution1d.hpp>
#include <consistency/network/layer/film.hpp>
#include <consistency/network/layer/transposed_convolution1d.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

Parameters<T> draws(ParameterTable const& table) {
  auto theta = Parameters<T>{table};
  auto const numbers = normal<double>({1, theta.flat().count()}, {1});
  for (auto const& entry : table.entries())
    for (Index i = entry.offset; i < entry.offset + entry.shape.count(); ++i)
      theta.flat().mutable_data()[i] = numbers[i];
  return theta;
}

}  // namespace

TEST_CASE("a convolution along one axis is the sum of its definition, for any kernel and stride") {
  for (Index const kernel : {1, 3, 5})
    for (Index const stride : {1, 2})
      for (Index const t : {1, 7, 8}) {
        ParameterTable table;
        auto const layer = Convolution1d{table, "c", 3, 4, {.kernel = kernel, .stride = stride}};
        auto const theta = draws(table);
        auto const& w = theta[0];  // (1, k, 3, 4)
        auto const x = normal<double>({2, 1, t, 3}, {9});
        T const y = layer(theta, x);
        auto const places = (t - 1) / stride + 1;
        REQUIRE(y.shape() == Shape{2, 1, places, 4});
        for (Index n = 0; n < 2; ++n)
          for (Index m = 0; m < places; ++m)
            for (Index o = 0; o < 4; ++o) {
              auto sum = theta[1][o];
              for (Index k = 0; k < kernel; ++k)
                for (Index c = 0; c < 3; ++c)
                  if (auto const at = m * stride + k - kernel / 2; at >= 0 && at < t)
                    sum += x(n, 0, at, c) * w(0, k, c, o);
              CHECK(y(n, 0, m, o) == doctest::Approx(sum).epsilon(1e-12));
            }
      }
}

TEST_CASE("a transposed convolution is the adjoint of the convolution of window 4, stride 2 and padding 1") {
  constexpr Index in = 3, out = 2, t = 5;
  ParameterTable table;
  auto const layer = TransposedConvolution1d{table, "c", in, out};
  auto const theta = draws(table);
  auto const& w = theta[0];                          // (2, in, 2 out)
  auto const tap = [&](Index k, Index i, Index o) {  // k = 2 − 2a + b
    Index const a = k < 2 ? 1 : 0, b = k % 2;
    return w[(a * in + i) * 2 * out + b * out + o];
  };
  auto const x = normal<double>({2, 1, t, in}, {9});
  auto const g = normal<double>({2, 1, 2 * t, out}, {10});
  auto down = T{Shape{2, 1, t, in}};  // what the convolution makes of g
  for (Index n = 0; n < 2; ++n)
    for (Index m = 0; m < t; ++m)
      for (Index i = 0; i < in; ++i) {
        double sum = 0;
        for (Index k = 0; k < 4; ++k)
          for (Index o = 0; o < out; ++o)
            if (auto const at = 2 * m + k - 1; at >= 0 && at < 2 * t) sum += tap(k, i, o) * g(n, 0, at, o);
        down.mutable_data()[(n * t + m) * in + i] = sum;
      }
  CHECK(relative_error(dot(T(layer(theta, x) - theta[1]), g), dot(x, down)) < 1e-13);
}

TEST_CASE("FiLM scales and shifts channels by a linear map of the condition") {
  for (auto const kind : {Modulation::scale, Modulation::one_plus_scale, Modulation::bias}) {
    ParameterTable table;
    auto const film = Film{table, "film", 3, 4, kind};
    auto const theta = draws(table);
    CHECK(table.count() == (kind == Modulation::bias ? 4 : 8) * (3 + 1));
    auto const h = normal<double>({2, 1, 5, 4}, {7});
    auto const c = normal<double>({2, 3}, {8});
    T const y = film(theta, h, c), map = linear(c, theta[0], theta[1]);
    for (Index n = 0; n < 2; ++n)
      for (Index t = 0; t < 5; ++t)
        for (Index o = 0; o < 4; ++o) {
          auto const s = kind == Modulation::bias ? 1 : map[8 * n + o] + (kind == Modulation::scale ? 0 : 1);
          auto const b = kind == Modulation::bias ? map[4 * n + o] : map[8 * n + 4 + o];
          CHECK(y(n, 0, t, o) == doctest::Approx(s * h(n, 0, t, o) + b).epsilon(1e-12));
        }
  }
}

TEST_CASE("a kernel that is even and channels that are none are rejected by the layer's name") {
  ParameterTable table;
  check_fails<ErrorCode::config>([&] { Convolution1d(table, "a", 2, 2, {.kernel = 4}); },
                                 {"a", "kernel", "4", "odd"});
  check_fails<ErrorCode::config>([&] { TransposedConvolution1d(table, "b", 0, 2); },
                                 {"b", "channels in", "0"});
}
