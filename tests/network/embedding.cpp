// SPDX-License-Identifier: MIT
#include <cmath>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/network/layer/embedding.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("the positional embedding has geometric frequencies, cosines first") {
  auto const t = tensor<double>({3, 1}, {-1.55, 0.0, 1.1});
  for (auto const scale : {1.0, 1000.0}) {
    Tensor<double> const e = TimeEmbedding{.scale = scale}(t, 8);
    REQUIRE(e.shape() == Shape{3, 8});
    for (Index n = 0; n < 3; ++n)
      for (Index i = 0; i < 4; ++i) {
        auto const angle = t[n] * scale * std::pow(10000.0, -static_cast<double>(i) / 4);
        CHECK(e[8 * n + i] == doctest::Approx(std::cos(angle)).epsilon(1e-12));
        CHECK(e[8 * n + 4 + i] == doctest::Approx(std::sin(angle)).epsilon(1e-12));
      }
  }
}

TEST_CASE("EDM's embedding has sines first, and frequencies from 1 to 1/10000") {
  auto const t = tensor<double>({2, 1}, {1.0, 0.25 * std::log(80.0)});
  constexpr Index half = 64;
  auto const edm = TimeEmbedding{.endpoint = true, .order = TimeEmbedding::Order::sin_cos};
  Tensor<double> const e = edm(t, 2 * half);
  for (Index n = 0; n < 2; ++n)
    for (Index i = 0; i < half; ++i) {
      auto const angle = t[n] * std::pow(10000.0, -static_cast<double>(i) / (half - 1));
      CHECK(e[2 * half * n + i] == doctest::Approx(std::sin(angle)).epsilon(1e-12));
      CHECK(e[2 * half * n + half + i] == doctest::Approx(std::cos(angle)).epsilon(1e-12));
    }
  CHECK(e[half - 1] == doctest::Approx(std::sin(1e-4)).epsilon(1e-12));
}

TEST_CASE("an embedding that cannot be, or whose settings have no effect, is rejected") {
  auto const rejected = [](TimeEmbedding const& e, Index channels, std::string_view word) {
    check_fails<ErrorCode::config>([&] { e(times<double>(1, 0.3), channels); }, {"TimeEmbedding", word});
  };
  rejected({}, 7, "even number");
  rejected({}, 0, "even number");
  rejected({}, Index{1} << 62, "4611686018427387904");
  rejected({.scale = 0}, 8, "scale: found 0");
  rejected({.scale = std::nan("")}, 8, "scale: found nan");
  rejected({.endpoint = true}, 2, "4 or more");
  rejected({.kind = TimeEmbedding::Kind::fourier, .endpoint = true}, 8, "endpoint");
}

TEST_CASE("the Fourier embedding lies on circles and its frequencies are normal draws") {
  auto const embedding = TimeEmbedding{.kind = TimeEmbedding::Kind::fourier, .scale = 0.02};
  constexpr Index half = 512;
  auto const t = tensor<double>({2, 1}, {0.0, 0.25});
  Tensor<double> const e = embedding(t, 2 * half);
  double square_sum = 0;
  for (Index i = 0; i < half; ++i) {
    CHECK(e[i] == 1.0);
    CHECK(e[half + i] == 0.0);
    auto const c = e[2 * half + i];
    auto const s = e[3 * half + i];
    CHECK(c * c + s * s == doctest::Approx(1).epsilon(1e-14));
    auto const frequency =
        std::atan2(s, c) / (0.25 * 0.02 * 2 * std::numbers::pi);  // small angles: no winding
    square_sum += frequency * frequency;
  }
  CHECK(std::abs(square_sum / half - 1) < 5 * std::sqrt(2.0 / half));
  CHECK(same_bits<double>(embedding(t, 2 * half), e));
}

TEST_CASE_TEMPLATE("times of any rank give one row per sample", S, float, double) {
  auto const flat = TimeEmbedding{}(times<S>(4, 0.3), 6);
  auto const image = TimeEmbedding{}(Tensor<S>(Shape{4, 1, 1, 1}, S(0.3)), 6);
  CHECK(same_bits<S>(evaluated(flat), evaluated(image)));
  CHECK(evaluated(image).shape() == Shape{4, 6});
}
