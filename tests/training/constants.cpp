// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/consistency.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

/// A linear map beside numbers that are drawn once.
struct WithConstant {
  ParameterTable table;
  ParameterId drawn = table.add_constant("drawn", {3}, {.deviation = 2});
  Linear map{table, "map", 4, 1};

  ParameterTable const& parameters() const { return table; }
  Shape data_shape() const { return {1}; }
  auto operator()(auto const& theta, Value auto const& x, Operand auto const& time, Mode const& = {}) const {
    auto const features = evaluated(sin(time * stop_gradient(theta[drawn])));  // (n, 3)
    return evaluated(map(theta, concat(x, features)));                         // (n, 1)
  }
};

template <class O>
void trains(O const& optimizer) {
  auto const net = WithConstant{};
  ConsistencyFunction const f{net};
  auto const start = f.initialize(Key{3});
  Trainer trainer{
      ConsistencyTraining{.f = f, .times = GapTimes{.stage_steps = 10}, .target = EmaTarget{.mu = 0.9}},
      optimizer,
      start,
      {.ema = 0.9, .further_averages = {Average::constant(0.5)}}};
  for (Index k = 0; k < 5; ++k) trainer.step(normal<float>({8, 1}, Key{1}, {static_cast<std::uint32_t>(k)}));
  auto const same = [&](Parameters<X> const& theta) { return same_bits(theta[0], start[0]); };
  CHECK(same(trainer.theta()));
  CHECK(same(trainer.averaged()));
  CHECK(same(trainer.averaged(1)));
  CHECK(same(*trainer.state().target));
  CHECK_FALSE(same_bits(trainer.theta()[1], start[1]));
}

}  // namespace

TEST_CASE("no optimizer moves the constants among the parameters, by decay neither, and averages keep them") {
  trains(Adam{});
  trains(RAdam{});
  trains(AdamW{.learning_rate = 1e-2, .decay = 0.5});
  trains(Sgd{.learning_rate = 1e-2});
  trains(Muon{});
}
