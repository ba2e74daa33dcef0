// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/network/layer/dropout.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Tensor<float> mask(std::uint32_t layer, Key key, Counter first, Index n = 5) {
  return Dropout{0.5, layer}(Tensor<float>(Shape{n, 4, 4, 3}, 1.0F), Mode{true, key, first});
}

}  // namespace

TEST_CASE("outside of training, and at rate 0, dropout is the identity") {
  auto const x = normal<float>({3, 4, 4, 2}, {1});
  CHECK(same_bits<float>(Dropout{0.5, 1}(x, Mode{}), x));
  CHECK(same_bits<float>(Dropout{0, 1}(x, Mode{.training = true}), x));
}

TEST_CASE("dropout keeps the share 1 - rate and the mean") {
  for (auto const rate : {0.1, 0.5, 0.9}) {
    auto const x = Tensor<double>(Shape{100, 10, 10, 10}, 1.0);
    auto const y = Dropout{rate, 3}(x, Mode{.training = true, .key = {2}});
    double kept = 0;
    for (auto const v : y.values()) {
      if (v == 0) continue;
      CHECK_MESSAGE(v == doctest::Approx(1 / (1 - rate)).epsilon(1e-15), rate);
      kept += 1;
    }
    auto const n = static_cast<double>(x.count());
    CHECK(std::abs(kept / n - (1 - rate)) < 5 * std::sqrt(rate * (1 - rate) / n));
  }
}

TEST_CASE("a mask depends on key, layer, step and sample and on nothing else") {
  auto const key = Key{4};
  auto const one = mask(7, key, {3, 10});
  CHECK(same_bits(mask(7, key, {3, 10}), one));
  CHECK_FALSE(same_bits(mask(8, key, {3, 10}), one));
  CHECK_FALSE(same_bits(mask(7, Key{5}, {3, 10}), one));
  CHECK_FALSE(same_bits(mask(7, key, {4, 10}), one));
  CHECK_FALSE(same_bits(mask(7, key, {3, 11}), one));
  // The same for any batch split: sample 10 + i of the step.
  constexpr Index per_sample = 4 * 4 * 3;
  for (std::uint32_t i = 0; i < 5; ++i)
    CHECK(same_bits(mask(7, key, {3, 10 + i}, 1), one.view(i * per_sample, {1, 4, 4, 3})));
}

TEST_CASE("a rate outside of its range is rejected with its value") {
  check_fails<ErrorCode::config>([] { Dropout(1, 0); }, {"Dropout", "rate", "found 1,", "[0, 1)"});
  check_fails<ErrorCode::config>([] { Dropout(-0.25, 0); }, {"rate", "-0.25"});
  check_fails<ErrorCode::config>([] { Dropout(std::nan(""), 0); }, {"rate", "nan"});
}
