// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const data = Mixture{.w = {0.4, 0.6}, .m = {-0.6, 0.4}, .s = {0.12, 0.2}};

/// Points of step k.
Tensor<float> batch(Index n, Index k) {
  auto x = Tensor<float>{Shape{n, 1}};
  for (Index i = 0; i < n; ++i) {
    auto const at = Counter{static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i)};
    auto const part = uniform_block<double>({1, 1000}, at, 0)[0] < data.w[0] ? 0U : 1U;
    x.mutable_data()[i] =
        static_cast<float>(data.m[part] + data.s[part] * normal_block<double>({1, 1001}, at, 0)[0]);
  }
  return x;
}

/// The mean over x_t of |f(x, t) − f*(x, t)| in units of the data's standard deviation, by 99 quantiles of
/// x_t.
double error_at(double t, auto const& f, auto const& theta) {
  constexpr Index count = 99;
  auto x = Tensor<float>{Shape{count, 1}};
  for (Index i = 0; i < count; ++i) {
    double low = -400, high = 400;
    for (int halving = 0; halving < 60; ++halving) {
      auto const middle = (low + high) / 2;
      (data.below(middle, t) < (static_cast<double>(i) + 0.5) / count ? low : high) = middle;
    }
    x.mutable_data()[i] = static_cast<float>(low);
  }
  auto const at = times<float>(count, t);
  Tensor<float> const y = f(theta, x, at);
  auto const exact = mapped(x, at, [](double a, double time) { return data.transported(a, time, 0.002); });
  Tensor<float> const error = mean(abs(y - exact));
  return static_cast<double>(error[0]) / data.deviation();
}

/// Errors on a grid of times, from the smallest after ε to T, of a model trained from one seed.
std::vector<double> errors_after_training(std::uint64_t seed) {
  constexpr Index steps = 8000;
  auto const f = ConsistencyFunction{
      Mlp{{.dimensions = 1, .width = 64, .layers = 3, .embedding = 16, .time = {.scale = 1}}}};
  auto const method = ConsistencyTraining{
      .f = f,
      .metric = PseudoHuber{0.1},
      .times = GapTimes{.distribution = {.mean = 0, .deviation = 2}, .stage_steps = steps / 9},
      .weighting = InverseGapWeighting{}};
  auto trainer =
      Trainer{method,
              RAdam{.learning_rate = 3e-3, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
              f.initialize({seed}),
              {.ema = 0.998, .key = {100 + seed}}};
  for (Index k = 0; k < steps; ++k) trainer.step(batch(512, k));
  CHECK(error_at(80, f, f.initialize({seed})) > 0.5);  // untrained
  std::vector<double> errors;
  for (Index n = 2; n <= 18; ++n)
    errors.push_back(error_at(grid_of(VarianceExploding{})(n, 18), f, trainer.averaged()));
  return errors;
}

}  // namespace

// Eight seeds gave 0.020 to 0.029 on average over the grid and 0.032 to 0.049 at T, but for one run of 0.063:
// hence the middle one of three. 6 seconds each on one core.
TEST_CASE("consistency training finds the exact consistency function of a mixture") {
  set_threads(1);  // the loops are too small to share
  std::array<std::vector<double>, 3> runs;
  auto const average = [](std::vector<double> const& errors) {
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
  };
  for (std::uint64_t seed = 0; seed < runs.size(); ++seed) runs[seed] = errors_after_training(seed);
  std::sort(runs.begin(), runs.end(), [&](auto const& a, auto const& b) { return average(a) < average(b); });
  auto const& middle = runs[1];
  for (auto const error : middle) CHECK(error < 0.07);
  CHECK(average(middle) <= 0.05);
}
