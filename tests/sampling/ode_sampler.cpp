// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

auto const data = Gaussian{.m = 0.3, .s = 0.5};

/// The exact denoiser; counts how often it is asked.
auto denoiser(Index& evaluations) {
  return [&evaluations](T const& x, T const& t) {
    ++evaluations;
    return mapped(x, t, [](double a, double b) { return data.denoised(a, b); });
  };
}

std::pair<double, double> mean_and_deviation(T const& x) {
  auto const m = mean(x)[0];
  return {m, std::sqrt(mean(square(x - m))[0])};
}

}  // namespace

TEST_CASE(
    "Heun's and DPM-Solver-2's samplers have the values worked out independently in 2 N - 1 evaluations") {
  Index evaluations = 0;
  auto const end = [&](auto solver, Index steps) {
    auto const zero_mean = [&](T const& x, T const& t) {
      ++evaluations;
      return mapped(x, t, [](double a, double b) { return Gaussian{.m = 0, .s = 0.5}.denoised(a, b); });
    };
    auto const settings = SampleSettings{.seed = 3};
    auto const z = normal<double>({1, 1}, {3, stream::sampling});
    auto const sampler = OdeSampler<decltype(solver)>{.steps = steps};
    return sample<T>(zero_mean, Shape{1}, sampler, settings)[0] / z[0];
  };
  CHECK(end(Heun{}, 18) == doctest::Approx(.527624637001047).epsilon(1e-12));
  CHECK(evaluations == 35);
  CHECK(end(Heun{}, 40) == doctest::Approx(.5048768646542274).epsilon(1e-12));
  // By Algorithm 1 of Lu et al. 2022 in λ = −ln t, its exponentials and all.
  evaluations = 0;
  CHECK(end(Dpm2{}, 18) == doctest::Approx(.5158010443237346).epsilon(1e-12));
  CHECK(evaluations == 35);
  CHECK(end(Dpm2{}, 40) == doctest::Approx(.5028181018074752).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("samples have the data's mean and deviation, with churn and without", Solver, Euler, Heun,
                   Dpm2) {
  constexpr Index n = 20000;
  Index evaluations = 0;
  for (auto const churn : {0.0, 40.0}) {
    auto const sampler = OdeSampler<Solver>{
        .steps = 256, .churn = churn, .churn_min = 0.05, .churn_max = 50, .churn_noise = 1};
    auto const x = sample<T>(denoiser(evaluations), Shape{1}, sampler, {.seed = 1, .count = n, .batch = n});
    auto const [mean, deviation] = mean_and_deviation(x);
    CAPTURE(churn);
    CHECK(std::abs(mean - data.m) < 5 * data.s / std::sqrt(static_cast<double>(n)));
    CHECK(deviation == doctest::Approx(data.s).epsilon(Solver::order == 1 ? 0.05 : 0.02));
  }
}

TEST_CASE("churn adds noise that another seed of the step changes, and none where it is 0") {
  Index evaluations = 0;
  auto const run = [&](double churn) {
    return sample<T>(denoiser(evaluations), Shape{1}, OdeSampler<Heun>{.churn = churn},
                     {.seed = 1, .count = 4});
  };
  CHECK(same_bits(run(0), run(0)));
  CHECK(same_bits(run(10), run(10)));
  CHECK_FALSE(same_bits(run(0), run(10)));
}

TEST_CASE("the sampler of progressive distillation takes N Euler steps from T to the smallest time") {
  Index evaluations = 0;
  auto const sampler = OdeSampler<Euler>{.steps = 4, .to_zero = false};
  CHECK(sampler.times()(VarianceExploding{}, 0) == 80.0);
  CHECK(sampler.times()(VarianceExploding{}, 2) == doctest::Approx(grid_of(VarianceExploding{})(3, 5)));
  CHECK(sampler.times()(VarianceExploding{}, 4) == 0.002);
  auto const x = sample<T>(denoiser(evaluations), Shape{1}, sampler, {.seed = 1});
  CHECK(evaluations == 4);
  auto expected = T{80.0 * normal<double>({1, 1}, {1, stream::sampling})};
  for (Index i = 4; i > 0; --i)
    expected =
        Euler{}.step(exact_velocity(data), expected, times<double>(1, grid_of(VarianceExploding{})(i + 1, 5)),
                     times<double>(1, grid_of(VarianceExploding{})(i, 5)));
  CHECK(distance(x, expected) < 1e-12);
}

TEST_CASE("one step to zero is the denoiser at T") {
  Index evaluations = 0;
  auto const x = sample<T>(denoiser(evaluations), Shape{1}, OdeSampler<Heun>{.steps = 1}, {.seed = 1});
  CHECK(evaluations == 1);
  auto const z = normal<double>({1, 1}, {1, stream::sampling});
  CHECK(x[0] == doctest::Approx(data.denoised(80 * z[0], 80)).epsilon(1e-12));
}

TEST_CASE("impossible settings are rejected with their value") {
  Index evaluations = 0;
  auto const run = [&](auto const& sampler) { sample<T>(denoiser(evaluations), Shape{1}, sampler); };
  check_fails<ErrorCode::config>([&] { run(OdeSampler<Heun>{.steps = 0}); }, {"OdeSampler", "steps", "0"});
  check_fails<ErrorCode::config>([&] { run(OdeSampler<Heun>{.churn = -1}); }, {"OdeSampler", "churn", "-1"});
}
