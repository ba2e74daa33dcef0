// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/weighting/edm_weighting.hpp>
#include <consistency/weighting/grid_speed_weighting.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>
#include <consistency/weighting/sigmoid_weighting.hpp>
#include <consistency/weighting/truncated_snr_weighting.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("the uniform weight is 1 for any times") {
  auto const t = tensor<double>({4, 1, 1, 1}, {0.0021, 0.5, 7.0, 80.0});
  auto const r = tensor<double>({4, 1, 1, 1}, {0.002, 0.4, 6.0, 69.0});
  Tensor<double> const w = UniformWeighting{}(t, r);
  CHECK(same_bits(w, Tensor<double>(t.shape(), 1.0)));
}

TEST_CASE("the inverse-gap weight times the gap is 1") {
  auto const t = tensor<double>({4, 1}, {0.0021, 0.5, 7.0, 80.0});
  auto const r = tensor<double>({4, 1}, {0.002, 0.4, 6.0, 69.0});
  Tensor<double> const w = InverseGapWeighting{}(t, r);
  CHECK(w.shape() == t.shape());
  for (Index i = 0; i < 4; ++i) CHECK(w[i] * (t[i] - r[i]) == doctest::Approx(1).epsilon(1e-15));
}

TEST_CASE("weights of float times have the float's precision") {
  auto const t = tensor<float>({1, 1}, {80.0F});
  auto const r = tensor<float>({1, 1}, {69.450946F});
  Tensor<float> const w = InverseGapWeighting{}(t, r);
  CHECK(w[0] == doctest::Approx(1 / (80 - 69.450946)).epsilon(1e-6));
}

TEST_CASE("a denoiser's weight is that of the network's output: w c_out^2 is 1") {
  auto const t = tensor<double>({4, 1}, {0.002, 0.5, 7.0, 80.0});
  Tensor<double> const w = EdmWeighting{}(t);
  for (Index i = 0; i < 4; ++i) {
    auto const c_out = t[i] * 0.5 / std::sqrt(t[i] * t[i] + 0.25);
    CHECK(w[i] * c_out * c_out == doctest::Approx(1).epsilon(1e-13));
  }
}

TEST_CASE("the truncated signal-to-noise ratio is 1 / t^2, at least 1") {
  auto const t = tensor<double>({4, 1}, {0.002, 0.5, 1.0, 80.0});
  Tensor<double> const w = TruncatedSnrWeighting{}(t);
  auto const expected = tensor<double>({4, 1}, {250000.0, 4.0, 1.0, 1.0});
  for (Index i = 0; i < 4; ++i) CHECK(w[i] == doctest::Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("the grid's speed is the derivative of its time by its position") {
  auto const grid = grid_of(VarianceExploding{});
  for (auto const u : {0.001, 0.3, 0.9}) {
    constexpr auto h = 1e-5;
    auto const speed = (grid.from_unit(u + h) - grid.from_unit(u - h)) / (2 * h);
    auto const t = tensor<double>({1, 1}, {grid.from_unit(u)});
    Tensor<double> const w = GridSpeedWeighting{}(VarianceExploding{}, t);
    Tensor<double> const squared = GridSpeedWeighting{.squared = true}(VarianceExploding{}, t);
    CHECK(w[0] == doctest::Approx(speed).epsilon(1e-6));
    CHECK(squared[0] == doctest::Approx(speed * speed).epsilon(1e-6));
  }
}

TEST_CASE("the sigmoid weight is half the speed of the log-SNR under its sigmoid, over the variance of x_t") {
  auto const t = tensor<double>({4, 1}, {0.01, 0.3, 0.8, 0.99});
  auto const log_snr = [](double at) { return 2 * std::log((1 - at) / at); };
  for (auto const& w : {SigmoidWeighting{}, SigmoidWeighting{.a = 2, .b = -1}}) {
    Tensor<double> const found = w(t, t);
    for (Index i = 0; i < 4; ++i) {
      constexpr auto h = 1e-6;
      auto const speed = (log_snr(t[i] - h) - log_snr(t[i] + h)) / (2 * h), alpha = 1 - t[i];
      auto const share = 1 / (1 + std::exp(log_snr(t[i]) - w.b));
      CHECK(found[i] ==
            doctest::Approx(0.5 * share * speed * std::pow(alpha, w.a) / (alpha * alpha + t[i] * t[i]))
                .epsilon(1e-7));
    }
  }
  check_fails<ErrorCode::config>([] { SigmoidWeighting{.b = std::nan("")}.check(); },
                                 {"SigmoidWeighting", "b"});
}
