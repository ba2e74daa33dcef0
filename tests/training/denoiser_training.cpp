// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const D =
    Denoiser{Mlp{{.dimensions = 1, .width = 48, .layers = 2, .embedding = 16, .time = {.scale = 1}}}};

}  // namespace

TEST_CASE("the loss weighs squared errors by sample, so that the network's own output counts") {
  using T = Tensor<double>;
  auto const method = DenoiserTraining{.f = D};
  auto const theta = D.initialize<double>({1});
  auto const x0 = normal<double>({64, 1}, {2});
  constexpr auto key = Key{3};
  auto const z = normal<double>({64, 1}, key.with_stream(stream::noise), {7, 0});
  double expected = 0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    auto const sigma = method.distribution.time(D.process(), key.with_stream(stream::times), {7, i});
    T const noisy = x0.view(i, {1, 1}) + sigma * z.view(i, {1, 1});
    T const error = D(theta, noisy, times<double>(1, sigma)) - x0.view(i, {1, 1});
    expected += (sigma * sigma + 0.25) / (sigma * sigma * 0.25) * error[0] * error[0] / 64;
  }
  T const loss = method.loss(theta, theta, x0, method.draw(x0, 7, key));
  CHECK(relative_error(loss[0], expected) < 1e-12);
}

TEST_CASE("a trained denoiser is that of Gaussian data") {
  auto const data = Gaussian{};
  constexpr Index steps = 2500;
  auto trainer =
      Trainer{DenoiserTraining{.f = D},
              Adam{.learning_rate = 3e-3, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
              D.initialize({1}),
              {.ema = 0.99}};
  auto const batches = [&](Index k) -> Tensor<float> {
    return data.m + data.s * normal<float>({512, 1}, {5}, {static_cast<std::uint32_t>(k), 0});
  };
  trainer.run(batches, steps, [](StepReport const&) { return true; });
  for (auto const t : {0.05, 0.3, 1.0, 3.0}) {
    auto const at = times<float>(41, t);
    auto x = Tensor<float>{Shape{41, 1}};
    for (Index i = 0; i < 41; ++i)
      x.mutable_data()[i] =
          static_cast<float>(data.m + std::hypot(data.s, t) * (static_cast<double>(i) - 20) / 10);
    Tensor<float> const found = D(trainer.averaged(), x, at);
    auto const exact = mapped(x, at, [&](double a, double b) { return data.denoised(a, b); });
    CAPTURE(t);
    CHECK(static_cast<double>(mean(abs(found - exact))[0]) < 0.03);
  }
}

TEST_CASE("impossible noise levels are rejected") {
  check_fails<ErrorCode::config>(
      [] {
        Trainer{DenoiserTraining{.f = D, .distribution = LogNormalDistribution{.deviation = -1}}, Adam{},
                D.initialize({1})};
      },
      {"LogNormalDistribution", "deviation", "-1"});
}

TEST_CASE("a weight for another spread of data than the denoiser's is rejected") {
  auto const other = Denoiser{D.network(), EdmPreconditioning{0.7}};
  check_fails<ErrorCode::config>(
      [&] {
        Trainer{DenoiserTraining{.f = other}, Adam{}, other.initialize({1})};
      },
      {"DenoiserTraining", "sigma_data", "0.5"});
}
