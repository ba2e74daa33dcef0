// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/consistency.hpp>
#include <consistency/training/learned_weighting.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

/// F = 0: the denoiser is c_skip x.
struct Zero {
  ParameterTable table{};
  ParameterTable const& parameters() const { return table; }
  Shape data_shape() const { return {1}; }
  auto operator()(auto const&, Value auto const& x, Operand auto const&, Mode const& = {}) const {
    return evaluated(0.0 * x);
  }
};

}  // namespace

TEST_CASE("the learned weight becomes the mean loss of each time") {
  // Data N(0, s²): E (c_skip x − x₀)² = (1 − c_skip)² s² + c_skip² t².
  constexpr auto s = 0.2;
  LearnedWeighting const method{DenoiserTraining{.f = Denoiser{Zero{}}}, {.channels = 64}};
  constexpr Index steps = 3000;
  Trainer trainer{method,
                  Adam{.learning_rate = 1e-2, .schedule = {.decay_from = 500, .decay_to = steps}},
                  method.initialize(Key{1}),
                  {.ema = 0.99}};
  for (Index k = 0; k < steps; ++k)
    trainer.step(X(s * normal<float>({256, 1}, Key{2}, {static_cast<std::uint32_t>(k)})));
  for (auto const t : {0.05, 0.2, 0.5, 1.0}) {
    CAPTURE(t);
    auto const skip = 0.25 / (t * t + 0.25);
    auto const error = (1 - skip) * (1 - skip) * s * s + skip * skip * t * t;
    auto const expected = std::log(error * (t * t + 0.25) / (t * t * 0.25));
    X const u = method.log_mean(trainer.averaged(), times<float>(1, t));
    CHECK(std::abs(static_cast<double>(u[0]) - expected) < 0.12);
  }
}

TEST_CASE("a learned weight is trained, saved and left out with the parameters that it belongs to") {
  ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 8}}};
  LearnedWeighting const method{ConsistencyTraining{.f = f}};
  CHECK(method.parameters().find("weighting.weight"));
  auto const start = method.initialize(Key{1});
  CHECK(same_bits(selected(start, f.network().parameters()).flat(), f.initialize(Key{1}).flat()));
  check_fails<ErrorCode::config>([&] { Trainer(method, Adam{}, f.initialize(Key{1})); },
                                 {"Trainer", "parameters"});
  check_fails<ErrorCode::config>(
      [&] {
        Trainer(method, Groups{Group{{"hidden*", "out*"}, Adam{}}}, start);
      },
      {"Groups", "weighting.weight", "0 groups"});
  Trainer trainer{method, Adam{}, start};
  trainer.step(X(0.5 * normal<float>({16, 2}, Key{2})));
  CHECK(distance(trainer.theta().at("weighting.weight"), start.at("weighting.weight")) > 0.0);
  CHECK(sample(f, trainer.averaged(), OneStep{}, {.count = 2}).count() == 4);
}
