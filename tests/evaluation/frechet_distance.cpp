// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/SVD>
#include <doctest/doctest.h>

#include <consistency/evaluation/frechet_distance.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("diagonal Gaussians have the closed form of the Fréchet distance") {
  auto a = Gaussian{Eigen::Vector4d{1, 2, 3, 4}, Eigen::Vector4d{1, 4, 9, 0}.asDiagonal().toDenseMatrix()};
  auto b = Gaussian{Eigen::Vector4d{1, 0, 3, 5}, Eigen::Vector4d{4, 0.25, 9, 2}.asDiagonal().toDenseMatrix()};
  auto const exact = (4 + 1) + (1 - 2) * (1 - 2) + (2 - 0.5) * (2 - 0.5) + 0 + 2;
  CHECK(frechet_distance(a, b) == doctest::Approx(exact).epsilon(1e-10));
  CHECK(frechet_distance(b, a) == doctest::Approx(exact).epsilon(1e-10));
}

TEST_CASE("turning both Gaussians changes no Fréchet distance") {
  auto const angle = 0.7;
  Eigen::Matrix2d turn;
  turn << std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle);
  Eigen::Matrix2d s, r;
  s << 2, 0.5, 0.5, 1;
  r << 1, -0.3, -0.3, 3;
  auto const zero = Eigen::Vector2d{0, 0};
  auto const plain = frechet_distance({zero, s}, {zero, r});
  CHECK(plain > 0.1);
  CHECK(frechet_distance({zero, turn * s * turn.transpose()}, {zero, turn * r * turn.transpose()}) ==
        doctest::Approx(plain).epsilon(1e-10));
}

TEST_CASE("a set has no Fréchet distance from itself") {
  auto const x = normal<float>({300, 24}, Key{1});
  CHECK(frechet_distance(x, x) <= 1e-8);
}

TEST_CASE("fewer samples than dimensions give a finite distance, and 0 from themselves") {
  auto const x = normal<float>({10, 40}, Key{2}), y = normal<float>({12, 40}, Key{3});
  CHECK(std::isfinite(frechet_distance(x, y)));
  CHECK(frechet_distance(x, y) > 1);
  CHECK(frechet_distance(x, x) <= 1e-8);
}

TEST_CASE("covariances of low rank have the distance that their factors give") {
  // S = U Uᵀ and T = V Vᵀ: the trace of (S T)^½ is the sum of the singular values of Uᵀ V; of vectors u and
  // v, |u · v|. Some pairs share a column.
  constexpr Index d = 24;
  auto const factor = [](Index rank, std::uint64_t seed) -> Eigen::MatrixXd {
    auto const x = normal<double>({d, rank}, Key{seed});
    return Eigen::Map<Eigen::MatrixXd const>(x.data(), d, rank);
  };
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (Index const rank : {1, 2, 5}) {
      CAPTURE(seed);
      CAPTURE(rank);
      auto const u = factor(rank, 2 * seed);
      auto v = factor(1 + static_cast<Index>(seed % 6), 2 * seed + 1);
      if (seed % 3 == 0) v.col(0) = u.col(0);
      auto const traces = u.squaredNorm() + v.squaredNorm();
      auto const overlap = Eigen::JacobiSVD<Eigen::MatrixXd>(u.transpose() * v).singularValues().sum();
      Eigen::VectorXd const zero = Eigen::VectorXd::Zero(d);
      auto const found = frechet_distance({zero, u * u.transpose()}, {zero, v * v.transpose()});
      CHECK(std::abs(found - (traces - 2 * overlap)) <= 1e-13 * traces);
    }
}

TEST_CASE("Gaussians on lines that meet at a right angle do not overlap") {
  auto const zero = Eigen::Vector3d{0, 0, 0};
  auto const a = Eigen::Vector3d{1, 2, 2}, b = Eigen::Vector3d{2, 1, -2};
  CHECK(frechet_distance({zero, a * a.transpose()}, {zero, b * b.transpose()}) ==
        doctest::Approx(18).epsilon(1e-14));
  Eigen::Matrix3d const none = Eigen::Matrix3d::Zero();
  CHECK(frechet_distance({zero, none}, {zero, b * b.transpose()}) == doctest::Approx(9).epsilon(1e-14));
  CHECK(frechet_distance({a, none}, {b, none}) == doctest::Approx(18).epsilon(1e-14));
}

TEST_CASE("the Fréchet distance of two small sets is SciPy's") {
  // x ← 1664525 x + 1013904223 mod 2³², value x / 2³². NumPy 2.4: complex eigenvalues of S₁ S₂ for all rows;
  // of the first three, whose covariances are singular, the singular values of the centred rows' products.
  auto const numbers = [](std::uint32_t x, double scale, double shift) {
    std::vector<double> values(48);
    for (auto& v : values) {
      x = x * 1664525U + 1013904223U;
      v = scale * (x / 4294967296.0) + shift;
    }
    return Tensor<double>{{12, 4}, std::span<double const>{values}};
  };
  auto const r = numbers(1, 1, 0), g = numbers(2, 0.8, 0.15);
  CHECK(r[0] == doctest::Approx(.2364555252715945).epsilon(1e-15));
  CHECK(g[47] == doctest::Approx(.8826729986816645).epsilon(1e-15));
  CHECK(std::abs(frechet_distance(r, g) - .062811883712907) < 1e-14);
  CHECK(std::abs(frechet_distance(g, r) - .062811883712907) < 1e-14);
  CHECK(std::abs(frechet_distance(r.view(0, {3, 4}), g.view(0, {3, 4})) - .4017403181541624) < 1e-14);
  for (auto const& [rows, expected] :
       {std::pair<Index, double>{6, .0791193213429968}, {8, .0552431589740776}, {10, .0533625710830019}})
    CHECK(std::abs(frechet_distance(r, g.view(0, {rows, 4})) - expected) < 1e-14);
}

TEST_CASE("more dimensions than a block of Cholesky's have the closed form of diagonal Gaussians") {
  constexpr Index d = 150;
  Eigen::VectorXd s(d), t(d);
  for (Index i = 0; i < d; ++i) s[i] = 1.0 + static_cast<double>(i), t[i] = i % 3 == 0 ? 0 : 1 / s[i];
  Eigen::VectorXd const zero = Eigen::VectorXd::Zero(d);
  auto const exact = (s.cwiseSqrt() - t.cwiseSqrt()).squaredNorm();
  CHECK(frechet_distance({zero, s.asDiagonal().toDenseMatrix()}, {zero, t.asDiagonal().toDenseMatrix()}) ==
        doctest::Approx(exact).epsilon(1e-13));
}

TEST_CASE("a covariance that float32 rounded has the distance of the exact one within that rounding") {
  auto const x = normal<double>({30, 12}, Key{7}), y = normal<double>({8, 12}, Key{8});
  auto const a = Gaussian::of(x), b = Gaussian::of(y);
  auto const rounded = Gaussian{b.mean, b.covariance.cast<float>().cast<double>()};
  // A covariance of rank 7 becomes one of full rank with roots of errors of 6e-8.
  CHECK(std::abs(frechet_distance(a, rounded) - frechet_distance(a, b)) < 1e-2);
}

TEST_CASE("the Fréchet distance has the same bits for any number of threads") {
  auto const x = normal<float>({90, 70}, Key{9}), y = normal<float>({200, 70}, Key{10});
  auto const before = threads();
  set_threads(1);
  auto const alone = frechet_distance(x, y);
  for (unsigned const count : {2U, 3U, 8U}) {
    set_threads(count);
    CHECK(frechet_distance(x, y) == alone);
  }
  set_threads(before);
}

TEST_CASE("the covariance and the Fréchet distance have the same bits for any number of Eigen's threads") {
  // Where there is OpenMP: a sum of 1500 terms is longer than the blocks that Eigen cuts it into.
  auto const x = normal<float>({1500, 160}, Key{7}), y = normal<float>({300, 160}, Key{8});
  auto const before = Eigen::nbThreads();
  Eigen::setNbThreads(1);
  auto const covariance = Gaussian::of(x).covariance;
  auto const distance = frechet_distance(x, y);
  for (auto const threads : {2, 3}) {
    CAPTURE(threads);
    Eigen::setNbThreads(threads);
    CHECK(Gaussian::of(x).covariance == covariance);
    CHECK(frechet_distance(x, y) == distance);
  }
  Eigen::setNbThreads(before);
}

TEST_CASE("what is no covariance is rejected by name") {
  auto const zero = Eigen::Vector2d{0, 0};
  auto const good = Gaussian{zero, Eigen::Matrix2d::Identity()};
  auto const indefinite = Gaussian{zero, Eigen::Vector2d{1, -0.1}.asDiagonal().toDenseMatrix()};
  check_fails<ErrorCode::numeric>([&] { frechet_distance(good, indefinite); },
                                  {"covariance of the second set", "0.1,", "no negative eigenvalue"});
  check_fails<ErrorCode::shape>(
      [&] {
        frechet_distance(good, {zero, Eigen::Matrix3d::Identity()});
      },
      {"rows of a covariance", "found 3"});
  auto const infinite = Gaussian{zero, Eigen::Matrix2d::Constant(std::numeric_limits<double>::infinity())};
  check_fails<ErrorCode::numeric>([&] { frechet_distance(good, infinite); }, {"frechet_distance", "inf"});
}

TEST_CASE("a set's Gaussian has its mean and its covariance with n - 1") {
  auto const values = std::vector<float>{1, 0, 3, 2, 5, 7};
  auto const g = Gaussian::of(Tensor<float>{Shape{3, 2}, std::span<float const>{values}});
  CHECK(g.mean(0) == doctest::Approx(3));
  CHECK(g.mean(1) == doctest::Approx(3));
  CHECK(g.covariance(0, 0) == doctest::Approx(4));
  CHECK(g.covariance(1, 1) == doctest::Approx(13));
  CHECK(g.covariance(0, 1) == doctest::Approx(7));
}

TEST_CASE("features without a Gaussian are rejected") {
  auto const x = normal<float>({5, 3}, Key{4});
  auto broken = x.clone();
  broken.mutable_data()[7] = std::numeric_limits<float>::quiet_NaN();
  check_fails<ErrorCode::dataset>([&] { frechet_distance(x, broken); }, {"Gaussian", "sample 2", "nan"});
  check_fails<ErrorCode::dataset>([&] { frechet_distance(x, x.view(0, {1, 3})); }, {"Gaussian", "n >= 2"});
  check_fails<ErrorCode::shape>(
      [&] {
        frechet_distance(x, normal<float>({5, 4}, Key{4}));
      },
      {"frechet_distance", "found 4", "3, as in the first"});
}
