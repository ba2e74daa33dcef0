// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/evaluation/energy_distance.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

Tensor<float> tensor(Shape shape, std::vector<float> const& values) {
  return Tensor<float>{shape, std::span<float const>{values}};
}

}  // namespace

TEST_CASE("the energy distance of points on a line is what a hand computes") {
  // Pairs between: 1, 3, 4, 0, 2, 3, mean 13 / 6; within {0, 1}: 1; within {1, 3, 4}: (2 + 3 + 1) / 3.
  auto const x = tensor({2, 1}, {0, 1}), y = tensor({3, 1}, {1, 3, 4});
  CHECK(energy_distance(x, y) == doctest::Approx(2 * 13.0 / 6 - 1 - 2).epsilon(1e-12));
  CHECK(energy_distance(y, x) == doctest::Approx(2 * 13.0 / 6 - 1 - 2).epsilon(1e-12));
}

TEST_CASE("distances are Euclidean over all axes of a sample") {
  auto const x = tensor({2, 1, 2, 1}, {0, 0, 3, 4}), y = tensor({2, 1, 2, 1}, {0, 0, 0, 0});
  CHECK(energy_distance(x, y) == doctest::Approx(2 * 2.5 - 5.0 - 0.0).epsilon(1e-12));
}

TEST_CASE("the energy distance of shifted Gaussians is the closed form within its error") {
  // X ~ N(0, 1), Y ~ N(a, 1): E|Y − X| = 2 φ(c) √2 + a (2 Φ(c) − 1) with c = a / √2; E|X − X′| = 2 / √π.
  constexpr Index n = 4000;
  constexpr double a = 0.8;
  auto const c = a / std::numbers::sqrt2;
  auto const density = std::exp(-c * c / 2) / std::sqrt(2 * std::numbers::pi);
  auto const between = 2 * std::numbers::sqrt2 * density + a * std::erf(c / std::numbers::sqrt2);
  auto const exact = 2 * between - 4 / std::sqrt(std::numbers::pi);
  auto const x = normal<float>({n, 1}, Key{1});
  Tensor<float> const y = a + normal<float>({n, 1}, Key{2});
  CHECK(std::abs(energy_distance(x, y) - exact) < 0.05);
  CHECK(std::abs(energy_distance(x, normal<float>({n, 1}, Key{3}))) < 0.003);
}

TEST_CASE("estimates of sets from one distribution scatter around 0") {
  double mean = 0;
  Index below = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto const e =
        energy_distance(normal<float>({20, 3}, Key{2 * seed}), normal<float>({30, 3}, Key{2 * seed + 1}));
    mean += e / 200;
    below += e < 0 ? 1 : 0;
  }
  CHECK(std::abs(mean) < 0.02);
  CHECK(below > 50);
}

TEST_CASE("the energy distance has the same bits for any number of threads") {
  auto const x = normal<float>({700, 5}, Key{4}), y = normal<float>({1100, 5}, Key{5});
  auto const before = threads();
  set_threads(1);
  auto const alone = energy_distance(x, y);
  for (unsigned const count : {2U, 3U, 8U}) {
    set_threads(count);
    CHECK(energy_distance(x, y) == alone);
  }
  set_threads(before);
}

TEST_CASE("sets without a distance are rejected") {
  auto const x = tensor({2, 2}, {0, 1, 2, 3});
  check_fails<ErrorCode::dataset>(
      [&] {
        energy_distance(x, tensor({1, 2}, {0, 1}));
      },
      {"energy_distance", "(1, 2)", "n >= 2"});
  check_fails<ErrorCode::shape>(
      [&] {
        energy_distance(x, tensor({2, 1}, {0, 1}));
      },
      {"energy_distance", "found 1", "2, as in the first"});
  check_fails<ErrorCode::dataset>(
      [&] {
        energy_distance(tensor({2, 2}, {0, 1, 2, std::numeric_limits<float>::infinity()}), x);
      },
      {"energy_distance", "sample 1", "inf", "finite"});
  check_fails<ErrorCode::dataset>([&] { energy_distance(x, Tensor<float>{}); }, {"n >= 2"});
}
