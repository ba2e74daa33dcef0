// SPDX-License-Identifier: MIT
// The measures of quality on small sets, whose values NumPy and SciPy found by their definitions.
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/evaluation/energy_distance.hpp>
#include <consistency/evaluation/frechet_infinity.hpp>
#include <consistency/evaluation/inception_score.hpp>
#include <consistency/evaluation/kernel_distance.hpp>
#include <consistency/evaluation/mind.hpp>
#include <consistency/evaluation/neighbours.hpp>
#include <consistency/evaluation/running_moments.hpp>
#include <consistency/evaluation/vendi_score.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Numbers of x ← 1664525 x + 1013904223 (mod 2³²) over 2³², row by row.
T numbers(std::uint32_t seed, Shape const& shape) {
  T x{shape};
  for (auto& value : x.mutable_values()) {
    seed = 1664525U * seed + 1013904223U;
    value = seed / 4294967296.0;
  }
  return x;
}
T tensor(Shape const& shape, std::vector<double> const& values) { return T{shape, std::span{values}}; }

T const R = numbers(1, {12, 4});
T const G = 0.8 * numbers(2, {12, 4}) + 0.15;
T const far = 0.5 * numbers(2, {12, 4}) + 0.6;
T first(T const& x, Index n) { return x.view(0, {n, x.shape()[1]}); }

auto about(double value, double relative = 1e-9) { return doctest::Approx(value).epsilon(relative).scale(0); }

void check_neighbourhoods(Neighbourhoods const& found, Neighbourhoods const& expected) {
  CHECK(std::abs(found.precision - expected.precision) < 1e-12);
  CHECK(std::abs(found.recall - expected.recall) < 1e-12);
  CHECK(std::abs(found.density - expected.density) < 1e-12);
  CHECK(std::abs(found.coverage - expected.coverage) < 1e-12);
}

}  // namespace

TEST_CASE("the sets of this test are those that the values were found for") {
  CHECK(R[0] == about(.2364555252715945, 1e-15));
  CHECK(R[3] == about(.7048832636792213, 1e-15));
  CHECK(G[47] == about(.8826729986816645, 1e-15));
}

TEST_CASE("the Fréchet distance has SciPy's value, with either denominator and below full rank") {
  CHECK(frechet_distance(R, G) == about(.062811883712907));
  auto const biased = [](T const& x) {
    auto g = Gaussian::of(x);
    g.covariance *= 11.0 / 12;
    return g;
  };
  CHECK(frechet_distance(biased(R), biased(G)) == about(.0601728538678878));
  CHECK(frechet_distance(first(R, 3), first(G, 3)) == about(.40174031715, 1e-8));
  for (auto const& x : {R, G, far}) CHECK(frechet_distance(x, x) <= 1e-8);
}

TEST_CASE("moments of batches are those of the whole set") {
  auto const x = numbers(5, {1000, 7});
  auto const whole = Gaussian::of(x);
  RunningMoments moments;
  Index begin = 0;
  for (Index const n : {1, 2, 400, 597}) moments.add(x.view(7 * begin, {n, 7})), begin += n;
  CHECK(moments.count() == 1000);
  CHECK((moments.gaussian().mean - whole.mean).cwiseAbs().maxCoeff() < 1e-14);
  CHECK((moments.gaussian().covariance - whole.covariance).cwiseAbs().maxCoeff() < 1e-14);
  // Far from zero, where a sum of squares would have lost the variance.
  T const shifted = 1e6 + x;
  RunningMoments far_away;
  for (Index i = 0; i < 10; ++i) far_away.add(shifted.view(700 * i, {100, 7}));
  CHECK((far_away.gaussian().covariance - whole.covariance).cwiseAbs().maxCoeff() < 1e-9);
  check_fails<ErrorCode::shape>([&] { moments.add(R); }, {"RunningMoments", "4", "7, as before"});
  check_fails<ErrorCode::dataset>([] { RunningMoments{}.gaussian(); }, {"RunningMoments", "0", "2 or more"});
}

TEST_CASE("the distance for infinitely many samples is the intercept of a line in one over their number") {
  std::vector<double> distances;
  for (Index const n : {6, 8, 10, 12}) distances.push_back(frechet_distance(R, first(G, n)));
  CHECK(distances[0] == about(.0791193213429968));
  CHECK(distances[1] == about(.0552431589740776));
  CHECK(distances[2] == about(.0533625710830019));
  CHECK(intercept_in_count({6, 8, 10, 12}, distances) == about(.0351757578070463));
  CHECK(intercept_in_count({10, 20, 40}, {3 + 7 / 10.0, 3 + 7 / 20.0, 3 + 7 / 40.0}) == about(3));
  // Of one distribution it is nearer to 0 than the distance of all samples.
  auto const reference = Gaussian::of(normal<double>({20000, 8}, Key{1}));
  auto const x = normal<double>({2000, 8}, Key{2});
  auto const infinite = frechet_distance_infinity(reference, x, {.points = 8, .smallest = 200});
  CHECK(std::abs(infinite) < 0.5 * frechet_distance(reference, Gaussian::of(x)));
  check_fails<ErrorCode::config>([&] { frechet_distance_infinity(reference, x, {.smallest = 2000}); },
                                 {"frechet_distance_infinity", "smallest", "2000", "1999"});
  check_fails<ErrorCode::config>(
      [&] {
        intercept_in_count({5, 5}, {1, 2});
      },
      {"intercept_in_count", "counts"});
}

TEST_CASE("kernel distances have NumPy's values, without bias and with it, by both kernels") {
  CHECK(kernel_distance(R, G) == about(-.0183418042829322));
  CHECK(kernel_distance(R, G, CubicKernel{}, Estimator::biased) == about(.0470153247346312));
  auto const unit_rows = [](T const& x) {
    T y = x.clone();
    for (Index i = 0; i < 12; ++i) {
      double length = 0;
      for (Index k = 0; k < 4; ++k) length += y[4 * i + k] * y[4 * i + k];
      for (Index k = 0; k < 4; ++k) y.mutable_data()[4 * i + k] /= std::sqrt(length);
    }
    return y;
  };
  CHECK(1000 * kernel_distance(unit_rows(R), unit_rows(G), GaussianKernel{}, Estimator::biased) ==
        about(.1457181271482533));
  CHECK(1000 * kernel_distance(R, G, GaussianKernel{}, Estimator::biased) == about(.3110660037872748));
}

TEST_CASE("subsets of kernel distances agree with the whole within their spread") {
  auto const x = normal<double>({2000, 6}, Key{1});
  T const y = 0.3 + normal<double>({1500, 6}, Key{2});
  auto const whole = kernel_distance(x, y);
  auto const found = kernel_distance_of_subsets(x, y, {.subsets = 40, .size = 300, .seed = 3});
  CHECK(std::abs(found.mean - whole) < 5 * found.deviation / std::sqrt(40.0));
  CHECK(found.deviation > 0);
  auto const again = kernel_distance_of_subsets(x, y, {.subsets = 40, .size = 300, .seed = 3});
  CHECK(again.mean == found.mean);
  // All of both sets, in other orders.
  auto const all = kernel_distance_of_subsets(x, x, {.subsets = 2, .size = 2000});
  CHECK(all.mean == about(kernel_distance(x, x), 1e-6));
  check_fails<ErrorCode::config>([&] { kernel_distance_of_subsets(x, y, {.size = 1501}); },
                                 {"kernel_distance_of_subsets", "1501", "1500"});
}

TEST_CASE("precision, recall, density and coverage have the values that prdc finds") {
  auto const open = [](Index k) { return NeighbourhoodSettings{.k = k, .closed = false}; };
  check_neighbourhoods(neighbourhoods(R, far, open(1)), {.75, 0, .9166666666666666, .25});
  check_neighbourhoods(neighbourhoods(R, far, open(2)), {1, 0, .8333333333333334, .3333333333333333});
  check_neighbourhoods(neighbourhoods(R, far, open(3)), {1, 0, .8611111111111112, .3333333333333333});
  check_neighbourhoods(neighbourhoods(R, G, open(1)),
                       {.9166666666666666, .5833333333333334, 1.75, .9166666666666666});
  check_neighbourhoods(neighbourhoods(R, G, open(3)), {1, .9166666666666666, 1.6388888888888888, 1});
}

TEST_CASE("samples on the surface of a ball count where it is closed") {
  auto const real = tensor({4, 1}, {0, 1, 2, 3}), generated = tensor({4, 1}, {.5, 1, 4, 6});
  check_neighbourhoods(neighbourhoods(real, generated, {.k = 1, .closed = false}), {.5, .5, .75, .5});
  check_neighbourhoods(neighbourhoods(real, generated, {.k = 1}), {.75, 1, .75, .5});
  check_neighbourhoods(neighbourhoods(real, generated, {.k = 2, .closed = false}), {.75, 1, .625, .75});
}

TEST_CASE("a set is its own neighbourhood, and one that is far away is in none") {
  auto const x = normal<float>({700, 5}, Key{1});
  Tensor<float> const away = 50 + x;
  check_neighbourhoods(neighbourhoods(x, x), {1, 1, 1, 1});
  check_neighbourhoods(neighbourhoods(x, away), {0, 0, 0, 0});
  check_fails<ErrorCode::config>([&] { neighbourhoods(x, x, {.k = 700}); }, {"neighbourhoods", "k", "699"});
  check_fails<ErrorCode::shape>(
      [&] {
        neighbourhoods(x, normal<float>({700, 6}, Key{1}));
      },
      {"neighbourhoods", "6", "5, as in the first"});
}

TEST_CASE("the nearest sample is found with its distance, over block borders and for any number of threads") {
  auto const y = normal<float>({1500, 3}, Key{1});
  Tensor<float> x{{3, 3}};
  Index const copied[] = {0, 511, 1499};
  for (Index i = 0; i < 3; ++i)
    for (Index k = 0; k < 3; ++k)
      x.mutable_data()[3 * i + k] = y[3 * copied[i] + k] + (k == 0 ? 1e-3F : 0.0F);
  auto const found = nearest(x, y);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found.index[i] == copied[i]);
    CHECK(found.distance[i] == doctest::Approx(1e-3).epsilon(1e-3).scale(0));
  }
  auto const line = tensor({4, 1}, {0, 1, 3, 6});
  auto const three = nearest(tensor({1, 1}, {2.5}), line, 3);
  CHECK(three.index == std::vector<Index>{2, 1, 0});
  CHECK(three.distance == std::vector{0.5, 1.5, 2.5});
  check_fails<ErrorCode::config>([&] { nearest(line, line, 5); }, {"nearest", "k", "5", "1 to 4"});
}

TEST_CASE("authenticity tells copies from new samples") {
  CHECK(authenticity(R, G) == about(1.0 / 6));
  auto const x = normal<float>({400, 8}, Key{1});
  Tensor<float> const copies = x + 1e-4 * normal<float>({400, 8}, Key{2});
  CHECK(authenticity(x, copies) == 0);
  CHECK(authenticity(x, normal<float>({400, 8}, Key{3})) > 0.4);
}

TEST_CASE("MIND along given directions has NumPy's value, and is 0 for one set in any order") {
  T directions = numbers(3, {5, 4}) - 0.5;
  CHECK(mind_along(directions, R, G) == about(.2191193603796594));
  double const each[] = {.0156043285819645, .0134144762397472, .0258024551527562, .0129225908913452,
                         .0235558826257117};
  for (Index i = 0; i < 5; ++i)
    CHECK(mind_along(T{directions.view(4 * i, {1, 4})}, R, G) / 12 == about(each[i], 1e-8));
  T turned = R.clone();
  for (Index i = 0; i < 12; ++i)
    for (Index k = 0; k < 4; ++k) turned.mutable_data()[4 * i + k] = R[4 * (11 - i) + k];
  CHECK(mind(R, turned) < 1e-30);
  check_fails<ErrorCode::shape>([&] { mind_along(directions, R, first(G, 5)); },
                                {"mind", "5", "12", "subsets"});
}

TEST_CASE("MIND of shifted Gaussians is three times the squared shift, of subsets too") {
  auto const x = normal<float>({20000, 4}, Key{1});
  Tensor<float> const y = 0.5 + normal<float>({30000, 4}, Key{2});
  // Along a unit vector the mean of (u · a)² is |a|² / d: in all 3 |a|².
  CHECK(mind(x, y, {.directions = 400, .seed = 5}) == doctest::Approx(3 * 4 * 0.25).epsilon(0.1).scale(0));
}

TEST_CASE("the Inception Score has NumPy's value, whole and in parts") {
  auto scores = T{6 * numbers(4, {12, 5})};
  for (Index i = 0; i < 12; ++i) {
    double total = 0;
    for (Index k = 0; k < 5; ++k) total += std::exp(scores[5 * i + k]);
    for (Index k = 0; k < 5; ++k) scores.mutable_data()[5 * i + k] = std::exp(scores[5 * i + k]) / total;
  }
  CHECK(inception_score(scores, 1).mean == about(1.754643181809642));
  CHECK(inception_score(scores, 1).deviation == 0);
  CHECK(inception_score(scores, 3).mean == about(1.5683750610631577));
  CHECK(inception_score(scores, 3).deviation == about(.2690296731655102));
  check_fails<ErrorCode::dataset>([] { inception_score(R, 1); }, {"inception_score", "row 0", "softmax"});
  check_fails<ErrorCode::config>([&] { inception_score(scores, 13); }, {"inception_score", "splits", "13"});
}

TEST_CASE("the Vendi score counts what differs") {
  CHECK(vendi_score(G) == about(1.4499090354879791));
  CHECK(vendi_score(tensor({4, 3}, {1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 3, 0})) == about(2));
  CHECK(vendi_score(tensor({2, 3}, {1, 0, 0, 0, 5, 0})) == about(2));
  check_fails<ErrorCode::dataset>([] { vendi_score(T{{2, 3}, 0.0}); }, {"vendi_score", "sample 0", "zeros"});
}

TEST_CASE("the energy distance with bias has NumPy's value") {
  CHECK(energy_distance(R, G, Estimator::biased) == about(.0954425744576981));
}

TEST_CASE("features that are not finite are rejected by every measure with their sample") {
  auto x = R.clone();
  x.mutable_data()[9] = std::numeric_limits<double>::quiet_NaN();
  auto const check = [&](char const* name, auto const& measure) {
    check_fails<ErrorCode::dataset>(measure, {name, "sample 2", "nan", "finite"});
  };
  check("neighbourhoods", [&] { neighbourhoods(x, G); });
  check("kernel_distance", [&] { kernel_distance(x, G); });
  check("mind", [&] { mind(x, G); });
  check("RunningMoments", [&] { RunningMoments{}.add(x); });
  check("nearest", [&] { nearest(x, G); });
  check("vendi_score", [&] { vendi_score(x); });
  check("inception_score", [&] { inception_score(x); });
}
