// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/data/normalizer.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Tensor<float> vectors() {  // one dimension does not vary
  Tensor<float> x{Shape{4, 3}};
  auto const numbers = {1.0F, -20.0F, 7.0F, 3.0F, 40.0F, 7.0F, 2.0F, 0.0F, 7.0F, 1.5F, 10.0F, 7.0F};
  std::copy(numbers.begin(), numbers.end(), x.mutable_data());
  return x;
}

}  // namespace

TEST_CASE(
    "limits take the smallest and largest number of each dimension to the ends, a constant one to the "
    "middle") {
  auto const x = vectors();
  auto const normalizer = Normalizer::limits(x);
  auto const y = normalizer(x);
  for (Index d : {0, 1}) {
    float least = 9, most = -9;
    for (Index i = 0; i < 4; ++i) least = std::min(least, y(i, d)), most = std::max(most, y(i, d));
    CHECK(least == -1);
    CHECK(most == 1);
  }
  for (Index i = 0; i < 4; ++i) CHECK(y(i, 2) == 0);
  CHECK(normalizer.scale[2] == 1);
  CHECK(distance(normalizer.inverse(y), x) < 1e-5);
  auto const positive = Normalizer::limits(x, 0, 10)(x);
  CHECK(positive(0, 0) == 0);
  CHECK(positive(0, 2) == 5);
}

TEST_CASE("standard scores have mean 0 and deviation 1") {
  auto const x = vectors();
  auto const normalizer = Normalizer::standard(x);
  auto const y = normalizer(x);
  for (Index d = 0; d < 3; ++d) {
    double mean = 0, square = 0;
    for (Index i = 0; i < 4; ++i) mean += y(i, d) / 4.0, square += y(i, d) * y(i, d) / 4.0;
    CHECK(mean == doctest::Approx(0).epsilon(1e-6));
    CHECK(square == doctest::Approx(d == 2 ? 0 : 1).epsilon(1e-6));
  }
  CHECK(distance(normalizer.inverse(y), x) < 1e-5);
}

TEST_CASE("data without numbers or with bad ones, and vectors of another length, are rejected") {
  check_fails<ErrorCode::dataset>(
      [] {
        Normalizer::limits(Tensor<float>{Shape{0, 3}});
      },
      {"Normalizer", "none"});
  auto x = vectors();
  x.mutable_data()[7] = std::numeric_limits<float>::quiet_NaN();
  check_fails<ErrorCode::dataset>([&] { Normalizer::standard(x); }, {"dimension 1 of vector 2", "nan"});
  auto const normalizer = Normalizer::limits(vectors());
  check_fails<ErrorCode::config>(
      [&] {
        normalizer(Tensor<float>{Shape{3, 4}, 0.0F});
      },
      {"found 3 and 3", "4 each"});
  check_fails<ErrorCode::config>(
      [] {
        Normalizer{{1, 0}, {0, 0}}.check("model", 2);
      },
      {"model", "dimension 1", "scale 0"});
  check_fails<ErrorCode::config>([] { Normalizer{{1, 2}, {0}}.check("model", 2); }, {"2 and 1"});
}

TEST_CASE("a normalizer without numbers changes none") {
  auto const x = vectors();
  CHECK(same_bits(Normalizer{}(x), x));
  CHECK(same_bits(Normalizer{}.inverse(x), x));
}
