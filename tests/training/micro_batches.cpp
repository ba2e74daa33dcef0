// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/consistency.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class S>
Parameters<Tensor<S>> trained(Index micro_batch, Index steps) {
  ConsistencyFunction const f{
      Mlp{{.dimensions = 2, .width = 24, .layers = 2, .embedding = 8, .condition = {.features = 2}}}};
  using X = Tensor<S>;
  Trainer trainer{ConsistencyTraining{.f = f, .times = GapTimes{.stage_steps = 10}},
                  RAdam{.learning_rate = 2e-3},
                  f.initialize<S>(Key{1}),
                  {.ema = 0.9, .clip = 1, .condition_dropout = 0.3, .micro_batch = micro_batch}};
  for (Index k = 0; k < steps; ++k) {
    X const x0 = 0.5 * normal<S>({64, 2}, {4}, {static_cast<std::uint32_t>(k), 0});
    ClassLabels labels{.labels = {}, .classes = 2};
    for (Index i = 0; i < 64; ++i) labels.labels.push_back(x0[2 * i] > S(0) ? 1 : 0);
    trainer.step(Batch<X>{x0, to_numbers<X>(Condition<Tensor<float>>{labels})});
  }
  return trainer.theta();
}

}  // namespace

TEST_CASE("4 micro-batches of 16 train as a batch of 64, with its noise, times and conditions") {
  auto const whole = trained<double>(0, 50);
  for (Index const size : {16, 64, 24, 1000}) {
    CAPTURE(size);
    auto const parts = trained<double>(size, 50);
    CHECK(distance(parts.flat(), whole.flat()) <= (size >= 64 ? 0.0 : 1e-10));
  }
  auto const in_float = trained<float>(0, 50), parts = trained<float>(16, 50);
  CHECK(distance(parts.flat(), in_float.flat()) <= 1e-6);
}

TEST_CASE("a recorded gradient of micro-batches is rejected, and so is a number of samples below 0") {
  ConsistencyFunction const f{Mlp{{.width = 8}}};
  auto const with = [&](TrainerSettings const& settings) {
    Trainer{ConsistencyTraining{.f = f}, RAdam{}, f.initialize(Key{1}), settings};
  };
  check_fails<ErrorCode::config>([&] { with({.micro_batch = 4, .record = true}); },
                                 {"Trainer", "micro_batch"});
  check_fails<ErrorCode::config>([&] { with({.micro_batch = -4}); }, {"Trainer", "micro_batch", "-4"});
}
