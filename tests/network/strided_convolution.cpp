// SPDX-License-Identifier: MIT
#include <array>

#include <doctest/doctest.h>

#include <consistency/network/layer/strided_convolution.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// By its definition: what the window sees of an image with zeros around it.
T by_definition(T const& x, T const& w, T const& b, Stride2 kind) {
  auto const n = x.shape()[0], h = x.shape()[1], width = x.shape()[2], in = x.shape()[3], out = w.shape()[3];
  auto const pixel = [&](Index s, Index i, Index j, Index c) {
    return i >= 0 && i < h && j >= 0 && j < width ? x(s, i, j, c) : 0.0;
  };
  auto const filtered = [&](Index s, Index i, Index j, Index c) {
    if (kind == Stride2::from_corner) return pixel(s, i, j, c);
    if (kind == Stride2::centred) return pixel(s, i - 1, j - 1, c);
    constexpr auto f = std::array{0.125, 0.375, 0.375, 0.125};
    double sum = 0;
    for (Index a = 0; a < 4; ++a)
      for (Index e = 0; e < 4; ++e)
        sum += f[static_cast<std::size_t>(a)] * f[static_cast<std::size_t>(e)] *
               pixel(s, i - 2 + a, j - 2 + e, c);
    return sum;
  };
  T y{Shape{n, h / 2, width / 2, out}};
  auto* to = y.mutable_data();
  for (Index s = 0; s < n; ++s)
    for (Index i = 0; i < h / 2; ++i)
      for (Index j = 0; j < width / 2; ++j)
        for (Index o = 0; o < out; ++o) {
          *to = b[o];
          for (Index k = 0; k < 3; ++k)
            for (Index l = 0; l < 3; ++l)
              for (Index c = 0; c < in; ++c) *to += w(k, l, c, o) * filtered(s, 2 * i + k, 2 * j + l, c);
          ++to;
        }
  return y;
}

}  // namespace

TEST_CASE(
    "a convolution of stride 2 after the filter, from the corner, or centred, is that of its definition") {
  for (auto const kind : {Stride2::filtered, Stride2::from_corner, Stride2::centred}) {
    ParameterTable table;
    auto const layer = StridedConvolution{table, "down", 3, 5, kind};
    auto const theta = Parameters<T>::initialized(table, {1});
    auto const x = normal<double>({2, 6, 10, 3}, {2});
    T const y = layer(theta, x);
    CHECK(distance(y, by_definition(x, theta[0], theta[1], kind)) < 1e-14 * 100);
  }
}
