// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/consistency.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};

X batch(Index k) { return 0.5 * normal<float>({16, 2}, {4}, {static_cast<std::uint32_t>(k), 0}); }

}  // namespace

TEST_CASE("the rates of averages are those of their formulas") {
  CHECK(Average::constant(0.9).at(1) == 0.9);
  CHECK(Average{0.9}.at(1) == doctest::Approx(2.0 / 11));
  CHECK(Average::warm_up(0.9).at(1000) == 0.9);
  CHECK(std::pow(Average::half_life(50).at(7), 50) == doctest::Approx(0.5).epsilon(1e-12));
  // Worked out independently.
  CHECK(Average::inverse_power(0.75).at(1) == doctest::Approx(.4053964424986395).epsilon(1e-13));
  CHECK(Average::inverse_power(0.75).at(10) == doctest::Approx(.8344399739238298).epsilon(1e-13));
  CHECK(Average::inverse_power(0.75).at(100) == doctest::Approx(.9686123378245277).epsilon(1e-13));
  CHECK(Average::inverse_power(0.75).at(Index{1} << 40U) == 0.9999);
  CHECK(Average::exponent(.05) == doctest::Approx(16.972198602303447).epsilon(1e-13));
  CHECK(Average::exponent(.10) == doctest::Approx(6.937203937601809).epsilon(1e-13));
  CHECK(Average::exponent(.01) == doctest::Approx(96.99489782370986).epsilon(1e-13));
}

TEST_CASE(
    "a power function's average weighs update k by k to the exponent, with the width that was asked for") {
  constexpr std::size_t n = 200;
  for (auto const width : {0.05, 0.1}) {
    auto const average = Average::power_function(width);
    CHECK(average.at(1) == 0.0);  // forgets where it began
    std::vector<double> weights;  // of θ after updates 1 … n, by running the rates
    for (std::size_t k = 1; k <= n; ++k) {
      auto const mu = average.at(static_cast<Index>(k));
      for (auto& w : weights) w *= mu;
      weights.push_back(1 - mu);
    }
    double mean = 0, square = 0, total = 0;
    for (std::size_t k = 0; k < n; ++k) {
      auto const end = (static_cast<double>(k) + 1) / n, middle = end - 0.5 / n;
      total += weights[k], mean += weights[k] * middle, square += weights[k] * middle * middle;
      CHECK(std::abs(total - std::pow(end, Average::exponent(width) + 1)) < 1e-12);  // ∫ (γ + 1) u^γ du
    }
    auto const deviation = std::sqrt(square - mean * mean);
    CHECK(std::abs(deviation / width - 1) < 1 / (12 * std::pow(n * width, 2)));  // an update is 1 / n wide
  }
}

TEST_CASE("several averages run beside each other, each with its own rate") {
  auto const settings =
      TrainerSettings{.ema = 0.9, .further_averages = {Average::constant(0.5), Average::half_life(3)}};
  Trainer trainer{ConsistencyTraining{.f = f}, RAdam{.learning_rate = 1e-2}, f.initialize(Key{1}), settings};
  std::vector<X> expected(3, trainer.theta().flat().clone());
  for (Index k = 1; k <= 6; ++k) {
    trainer.step(batch(k));
    for (std::size_t i = 0; i < 3; ++i) {
      auto const mu = i == 0 ? settings.ema.at(k) : settings.further_averages[i - 1].at(k);
      expected[i] = mu * expected[i] + (1 - mu) * trainer.theta().flat();
      CHECK(distance(trainer.averaged(static_cast<Index>(i)).flat(), expected[i]) < 1e-6);
    }
  }
  check_fails<ErrorCode::config>([&] { trainer.averaged(3); },
                                 {"Trainer", "number of an average", "3", "0 to 2"});
  check_fails<ErrorCode::config>([&] { trainer.averaged(-1); }, {"-1"});
}

TEST_CASE("the default average serves a run of a thousand steps: it is nearly θ") {
  Trainer trainer{ConsistencyTraining{.f = f}, RAdam{.learning_rate = 1e-3, .schedule = {.decay_to = 1000}},
                  f.initialize(Key{1})};
  auto const start = trainer.theta().flat().clone();
  for (Index k = 0; k < 1000; ++k) trainer.step(batch(k));
  CHECK(distance(trainer.averaged().flat(), trainer.theta().flat()) <
        0.1 * distance(start, trainer.theta().flat()));
}

TEST_CASE("impossible averages are rejected with their number") {
  auto const check = [](Average const& average, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>(
        [&] {
          Trainer{ConsistencyTraining{.f = f}, RAdam{}, f.initialize(Key{1}),
                  TrainerSettings{.further_averages = {average}}};
        },
        words);
  };
  check(1.0, {"ema", "found 1,"});
  check(Average::constant(-0.1), {"ema", "-0.1"});
  check(Average::half_life(0), {"half life", "found 0,"});
  check(Average::power_function(0.3), {"relative width", "0.3"});
  check(Average::inverse_power(-1), {"exponent", "-1"});
  check_fails<ErrorCode::config>(
      [] { TrainerSettings{.further_averages = std::vector<Average>(65, 0.9)}.check(); },
      {"further averages", "65", "0 to 64"});
}
