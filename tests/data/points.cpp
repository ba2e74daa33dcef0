// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <consistency/data/checkerboard.hpp>
#include <consistency/data/mixture.hpp>
#include <consistency/data/rings.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr Index n = 20000;

bool same(Tensor<float> const& a, Tensor<float> const& b) {
  return a.shape() == b.shape() && std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

}  // namespace

TEST_CASE_TEMPLATE("points are a pure function of seed, step and place", Batches, CheckerboardBatches,
                   MixtureBatches, RingsBatches) {
  auto const x = Batches{64, Key{9}}(3);
  CHECK(x.shape() == Shape{64, 2});
  CHECK(same(x, Batches{64, Key{9, stream::noise}}(3)));
  CHECK_FALSE(same(x, Batches{64, Key{9}}(4)));
  CHECK_FALSE(same(x, Batches{64, Key{10}}(3)));
  CHECK(same(x.view(0, {16, 2}), Batches{16, Key{9}}(3)));
  CHECK(Batches{16, Key{}}.batch() == 16);
}

TEST_CASE_TEMPLATE("either coordinate has mean 0 and standard deviation one half", Batches,
                   CheckerboardBatches, MixtureBatches, RingsBatches) {
  auto const x = Batches{n, Key{2}}(0);
  for (Index axis : {0, 1}) {
    double mean = 0, second = 0;
    for (Index i = 0; i < n; ++i) {
      auto const v = static_cast<double>(x[2 * i + axis]);
      mean += v / n;
      second += v * v / n;
    }
    CHECK(std::abs(mean) < 4 * 0.5 / std::sqrt(n));
    CHECK(std::abs(std::sqrt(second) / 0.5 - 1) < 0.015);
  }
}

TEST_CASE_TEMPLATE("nearly all points lie where the data is said to be", Batches, CheckerboardBatches,
                   MixtureBatches, RingsBatches) {
  auto const x = Batches{n, Key{3}}(1);
  Index inside = 0;
  for (Index i = 0; i < n; ++i) inside += Batches::dark(x[2 * i], x[2 * i + 1]) ? 1 : 0;
  CHECK(inside > 0.985 * n);
  CHECK_FALSE(Batches::dark(1.5, 0));
}

TEST_CASE("the eight Gaussians of a mixture have equal shares") {
  auto const x = MixtureBatches{n, Key{4}}(0);
  Index counts[8] = {};
  for (Index i = 0; i < n; ++i) {
    auto const turns = std::atan2(x[2 * i + 1], x[2 * i]) / 6.283185307F;
    ++counts[(std::lround(8 * turns) + 8) % 8];
  }
  for (auto const count : counts) CHECK(std::abs(count - n / 8) < 190);  // four standard deviations
}

TEST_CASE("half of the points of two rings lie on either") {
  auto const x = RingsBatches{n, Key{5}}(0);
  Index outer = 0;
  for (Index i = 0; i < n; ++i)
    outer += std::hypot(x[2 * i], x[2 * i + 1]) > 0.75 * RingsBatches::radius ? 1 : 0;
  CHECK(std::abs(outer - n / 2) < 283);  // four standard deviations
}

TEST_CASE("a batch of no points is rejected") {
  check_fails<ErrorCode::config>([] { MixtureBatches(0, Key{}); }, {"MixtureBatches", "batch", "found 0"});
  check_fails<ErrorCode::config>([] { RingsBatches(-1, Key{}); }, {"RingsBatches", "batch", "found -1"});
}
