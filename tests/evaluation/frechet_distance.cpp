#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/evaluation/frechet_distance.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/refused.hpp"

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

TEST_CASE("a set's Gaussian has its mean and its covariance with n - 1") {
  auto const values = std::vector<float>{1, 0, 3, 2, 5, 7};
  auto const g = Gaussian::of(Tensor<float>{Shape{3, 2}, std::span<float const>{values}});
  CHECK(g.mean(0) == doctest::Approx(3));
  CHECK(g.mean(1) == doctest::Approx(3));
  CHECK(g.covariance(0, 0) == doctest::Approx(4));
  CHECK(g.covariance(1, 1) == doctest::Approx(13));
  CHECK(g.covariance(0, 1) == doctest::Approx(7));
}

TEST_CASE("features without a Gaussian are refused") {
  auto const x = normal<float>({5, 3}, Key{4});
  auto broken = x.clone();
  broken.mutable_data()[7] = std::numeric_limits<float>::quiet_NaN();
  check_refused<ErrorCode::dataset>([&] { frechet_distance(x, broken); }, {"Gaussian", "sample 2", "nan"});
  check_refused<ErrorCode::dataset>([&] { frechet_distance(x, x.view(0, {1, 3})); }, {"Gaussian", "n >= 2"});
  check_refused<ErrorCode::shape>(
      [&] {
        frechet_distance(x, normal<float>({5, 4}, Key{4}));
      },
      {"frechet_distance", "found 4", "3, as in the first"});
}
