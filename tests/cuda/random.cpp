// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/cuda.hpp>

#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr auto key = Key{7, 3};
constexpr auto first = Counter{11, 4};

}  // namespace

TEST_CASE_TEMPLATE("the device draws the CPU's uniform numbers to the last bit", S, float, double) {
  NEEDS_DEVICE();
  for (auto const& shape :
       {Shape{}, Shape{1}, Shape{5}, Shape{3, 7}, Shape{2, 5, 4, 3}, Shape{0, 3}, Shape{64, 1024}})
    CHECK(same_bits(to<Cpu>(uniform<Tensor<S, Cuda>>(shape, key, first)), uniform<S>(shape, key, first)));
}

TEST_CASE_TEMPLATE("the device draws the CPU's normal numbers to rounding", S, float, double) {
  NEEDS_DEVICE();
  auto const found = to<Cpu>(normal<Tensor<S, Cuda>>({64, 1023}, key, first));
  auto const expected = normal<S>({64, 1023}, key, first);
  auto largest = S(0);
  for (Index i = 0; i < found.count(); ++i)
    largest = std::max(largest, std::abs(found[i] - expected[i]) / (1 + std::abs(expected[i])));
  CHECK(largest <= 8 * std::numeric_limits<S>::epsilon());
}

TEST_CASE("the device draws the CPU's dropout masks") {
  NEEDS_DEVICE();
  CHECK(same_bits(to<Cpu>(dropout_mask<Tensor<float, Cuda>>({9, 101}, 0.3, key, first)),
                  dropout_mask<float>({9, 101}, 0.3, key, first)));
}
