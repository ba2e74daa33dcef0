// SPDX-License-Identifier: MIT
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/schedule/constant_blend.hpp>
#include <consistency/schedule/decrement_times.hpp>
#include <consistency/schedule/dyadic_times.hpp>
#include <consistency/schedule/gap_first_times.hpp>
#include <consistency/schedule/geometric_blend.hpp>
#include <consistency/schedule/grid_spans.hpp>
#include <consistency/schedule/pair_times.hpp>
#include <consistency/schedule/sigmoid_blend.hpp>
#include <consistency/schedule/times_to_end.hpp>
#include <consistency/schedule/uniform_distribution.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr std::uint32_t drawn = 4000;
auto const path = LinearPath{.epsilon = 0};

/// A share of `drawn` is within four standard errors of what it should be.
void check_share(double found, double share) {
  CHECK(std::abs(found / drawn - share) < 4 * std::sqrt(share * (1 - share) / drawn));
}

}  // namespace

TEST_CASE("pairs of times have their laws as the later and the earlier, and a share of the diagonal") {
  auto const pairs = PairTimes<LogNormalDistribution, UniformDistribution>{
      .first = {-0.4, 1}, .second = {}, .diagonal = 0.25};
  double diagonal = 0, below_half = 0, position = 0;
  for (std::uint32_t i = 0; i < drawn; ++i) {
    auto const [t, q, r] = pairs.draw(path, 0, Key{1}, {0, i});
    if (!(r <= q && q <= t && 0 < r && t < 1)) FAIL_CHECK("times out of order");
    diagonal += t == r;
    below_half += t <= 0.5;
    if (t > r) position += (q - r) / (t - r);
  }
  check_share(diagonal, 0.25);
  check_share(below_half, 0.5 * 0.5 * std::erfc(-0.4 / std::sqrt(2)));  // both are: logit 1/2 = 0
  CHECK(std::abs(position / (drawn - diagonal) - 0.5) < 4 / std::sqrt(12 * (drawn - diagonal)));
  auto const [t, q, r] = PairTimes<>{.diagonal = 0, .middle = true}.draw(path, 0, Key{1}, {0, 0});
  CHECK(q == r + 0.5 * (t - r));
}

TEST_CASE("spans of a grid begin at any point but the first, and end at any up to the point before") {
  auto const exploding = VarianceExploding{};
  auto const times = GridSpans{.N = 5};
  times.check(exploding);
  auto const grid = grid_of(exploding);
  std::map<double, double> begins, ends_of_last;
  for (std::uint32_t i = 0; i < drawn; ++i) {
    auto const [t, q, r] = times.draw(exploding, 0, Key{1}, {0, i});
    ++begins[t];
    auto n = Index{2};
    while (n < 5 && grid(n, 5) != t) ++n;
    if (q != grid(n - 1, 5) || r > q) FAIL_CHECK("q is not the point before t");
    if (t == 80) ++ends_of_last[r];
  }
  CHECK(begins.size() == 4);
  for (auto const& [t, count] : begins) check_share(count, 0.25);
  CHECK(ends_of_last.size() == 4);
  CHECK(ends_of_last.count(0.002) == 1);
  auto const [t, q, r] = GridSpans{.N = 5, .ahead = 9}.draw(exploding, 0, Key{1}, {0, 0});
  CHECK(q == 0.002);
  CHECK(r == 0.002);
  check_fails<ErrorCode::config>([&] { GridSpans{.N = 1}.check(exploding); }, {"GridSpans", "points"});
  check_fails<ErrorCode::config>([&] { GridSpans{.ahead = 0}.check(exploding); }, {"GridSpans", "ahead"});
}

TEST_CASE("dyadic spans tile the range from T down, each length as often, with their middle") {
  auto const times = DyadicTimes{.N = 8, .diagonal = 0.5};
  std::map<double, double> lengths;
  double diagonal = 0;
  for (std::uint32_t i = 0; i < drawn; ++i) {
    auto const [t, q, r] = times.draw(path, 0, Key{1}, {0, i});
    if (t == r) {
      ++diagonal;
      CHECK(std::floor(8 * (1 - t)) == 8 * (1 - t));
      CHECK(t > 0);
      continue;
    }
    auto const d = t - r;
    CHECK(std::floor((1 - t) / d) == (1 - t) / d);
    CHECK(q == 0.5 * (t + r));
    ++lengths[d];
  }
  check_share(diagonal, 0.5);
  CHECK(lengths.size() == 3);
  for (auto const d : {1.0, 0.5, 0.25}) check_share(lengths[d], 0.5 / 3);
}

TEST_CASE("terminal velocity matching draws the gap, then an end that has room for it") {
  auto const times = GapFirstTimes{};
  auto const check = [&](double normal, double uniform, double t, double r) {
    auto const span = times.of(normal, uniform);
    CHECK(span.t == doctest::Approx(t).epsilon(1e-10));
    CHECK(span.r == doctest::Approx(r).epsilon(1e-10));
  };
  check(0, 0.5, 0.6771153174977635, 0.3670897986253759);
  check(-1, 0.2, 0.3642751319166604, 0.2224240670161726);
  check(1.5, 0.9, 0.9778075372045212, 0.309619765036355);
  double diagonal = 0;
  for (std::uint32_t i = 0; i < drawn; ++i) {
    auto const [t, q, r] = times.draw(path, 0, Key{1}, {0, i});
    if (!(r <= q && q <= t && 0 < r && t <= 1)) FAIL_CHECK("times out of order");
    diagonal += t == r;
  }
  check_share(diagonal, 0.5);
}

TEST_CASE("times to the end go to epsilon") {
  auto const process = Trigonometric{};
  auto const [t, q, r] = TimesToEnd<>{}.draw(process, 0, Key{1}, {0, 0});
  CHECK(t > r);
  CHECK((q == process.epsilon && r == process.epsilon));
}

TEST_CASE("a decrement of the noise level leads from t to q, unless r lies between") {
  auto const process = LinearPath{.epsilon = 0.006, .T = 0.994};
  auto const times = DecrementTimes{.steps = 20};
  auto const step = (process.sigma(process.T) - process.sigma(process.epsilon)) / 20;
  double below_half = 0, position = 0, stopped = 0;
  for (std::uint32_t i = 0; i < drawn; ++i) {
    auto const [t, q, r] = times.draw(process, 0, Key{1}, {0, i});
    if (!(process.epsilon <= r && r <= q && q < t && t <= process.T)) FAIL_CHECK("times out of order");
    below_half += t < 0.5;
    position += (r - process.epsilon) / (t - process.epsilon);
    stopped += q == r;
    if (q > r) CHECK(process.sigma(t) - process.sigma(q) == doctest::Approx(step).epsilon(1e-9));
  }
  check_share(below_half, 0.5);
  CHECK(std::abs(position / drawn - 0.5) < 4 / std::sqrt(12.0 * drawn));
  CHECK((stopped > 0.8 * drawn && stopped < drawn));  // most lie below the first step, at sigma 8.3
}

TEST_CASE("a share falls by alphaFlow's sigmoid, or by equal factors") {
  auto const alpha = SigmoidBlend{};
  CHECK(alpha(0) == 1);
  CHECK(alpha(700000) == 1);
  CHECK(alpha(760000) == doctest::Approx(0.9241418199787564).epsilon(1e-12));
  CHECK(alpha(800000) == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(alpha(840000) == doctest::Approx(0.0758581800212435).epsilon(1e-12));
  CHECK(alpha(880000) == doctest::Approx(0.0066928509242847).epsilon(1e-10));
  CHECK(alpha(900000) == 0);
  auto const rho = GeometricBlend{};
  CHECK(rho(0) == 1);
  CHECK(rho(200000) == doctest::Approx(0.1329573974236247).epsilon(1e-12));
  CHECK(rho(400000) == doctest::Approx(0.0176776695296637).epsilon(1e-12));
  CHECK(rho(900000) == doctest::Approx(1.0 / 3200).epsilon(1e-12));
}

TEST_CASE("settings of spans and shares that cannot be are rejected") {
  check_fails<ErrorCode::config>([] { PairTimes<>{.diagonal = 1.5}.check(); },
                                 {"PairTimes", "diagonal", "1.5"});
  check_fails<ErrorCode::config>([] { DecrementTimes{.steps = 0}.check(path); }, {"DecrementTimes", "steps"});
  check_fails<ErrorCode::config>([] { DecrementTimes{}.check(path); },
                                 {"DecrementTimes", "noise level at T"});
  check_fails<ErrorCode::config>([] { DyadicTimes{.N = 100}.check(); }, {"DyadicTimes", "N", "power of 2"});
  check_fails<ErrorCode::config>([] { SigmoidBlend{.K0 = 5, .K1 = 5}.check(); }, {"SigmoidBlend", "K1"});
  check_fails<ErrorCode::config>([] { GeometricBlend{.last = 0}.check(); }, {"GeometricBlend", "last"});
  check_fails<ErrorCode::config>([] { ConstantBlend{2}.check(); }, {"ConstantBlend", "value"});
}
