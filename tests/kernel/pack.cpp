// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("square roots are the C library's to the bit", S, float, double) {
  using Limits = std::numeric_limits<S>;
  auto x = random<S>({1003}, 1, 0, 9);
  for (Index i = 0; auto const special : {S(0), -S(0), S(4), Limits::denorm_min(), Limits::min() / 2,
                                          Limits::min(), Limits::max(), Limits::infinity()})
    x.mutable_data()[i++] = special;
  auto expected = Tensor<S>{x.shape()};
  std::transform(x.data(), x.data() + x.count(), expected.mutable_data(), [](S v) { return std::sqrt(v); });
  CHECK(same_bits(Tensor<S>{sqrt(x)}, expected));
}

TEST_CASE_TEMPLATE("minus turns the sign bit alone, that of 0 too", S, float, double) {
  using Limits = std::numeric_limits<S>;
  auto x = random<S>({1003}, 1, -9, 9);
  auto const special = {S(0), -S(0), Limits::denorm_min(), -Limits::max(), Limits::infinity()};
  std::copy(special.begin(), special.end(), x.mutable_data());
  std::copy_backward(special.begin(), special.end(), x.mutable_data() + x.count());
  auto expected = Tensor<S>{x.shape()};
  std::transform(x.data(), x.data() + x.count(), expected.mutable_data(), [](S v) { return -v; });
  CHECK(same_bits(Tensor<S>{-x}, expected));
}
