// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class S>
using X = Tensor<S>;

auto const D = Denoiser{Mlp{{.dimensions = 2, .width = 24, .layers = 2, .embedding = 8}}};

X<float> batch(Index k) { return 0.5 * normal<float>({16, 2}, {4}, {static_cast<std::uint32_t>(k), 0}); }

}  // namespace

TEST_CASE("the loss asks for the one Euler step that ends where two of the teacher's do") {
  constexpr auto key = Key{3};
  auto const method =
      ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 8, .stage_steps = 10}};
  auto const theta = D.initialize<double>({1});
  auto const theta_minus = D.initialize<double>({2});
  auto const x0 = normal<double>({16, 2}, {4});
  for (Index const k : {0, 15, 25, 35}) {
    auto const z =
        normal<double>({16, 2}, key.with_stream(stream::noise), {static_cast<std::uint32_t>(k), 0});
    double expected = 0;
    for (std::uint32_t i = 0; i < 16; ++i) {
      auto const [t, u, s] = method.times.draw(D.process(), k, key.with_stream(stream::times),
                                               {static_cast<std::uint32_t>(k), i});
      auto const euler = [&](X<double> const& x, double from, double to) -> X<double> {
        return x + (to - from) / from * (x - D(theta_minus, x, times<double>(1, from)));
      };
      X<double> const x_t = x0.view(2 * i, {1, 2}) + t * z.view(2 * i, {1, 2});
      auto const end = euler(euler(x_t, t, u), u, s);
      // The denoiser y with x_t + (s − t) (x_t − y) / t = end.
      X<double> const y = x_t - t / (s - t) * (end - x_t);
      X<double> const error = mean(square(D(theta, x_t, times<double>(1, t)) - y));
      expected += std::max(1 / (t * t), 1.0) * error[0] / 16;
    }
    X<double> const loss = method.loss(theta, theta_minus, x0, method.draw(x0, k, key));
    CHECK(relative_error(loss[0], expected) < 1e-10);
  }
}

TEST_CASE("the teacher stays for a stage and then is the student, and the optimizer starts anew") {
  constexpr Index stage = 5;
  auto trainer = Trainer{
      ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 4, .stage_steps = stage}},
      Adam{.learning_rate = 1e-3, .schedule = {.decay_from = 0, .decay_to = stage}}, D.initialize({1})};
  auto teacher = trainer.theta().flat().clone();
  for (Index k = 0; k < 4 * stage; ++k) {
    CHECK(trainer.step(batch(k)).resolution == static_cast<double>(4 >> std::min<Index>(k / stage, 2)));
    auto const ends = k + 1 == stage || k + 1 == 2 * stage;
    if (ends) teacher = trainer.theta().flat().clone();
    CHECK(same_bits(trainer.state().target->flat(), teacher));
  }
  // The first update of a stage is that of a fresh optimizer: Adam's step is then the rate in every
  // coordinate.
  auto state = trainer.state();
  auto fresh =
      Trainer{ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 4, .stage_steps = stage}},
              Adam{.learning_rate = 1e-3}, D.initialize({1})};
  for (Index k = 0; k < stage; ++k) fresh.step(batch(k));
  auto const before = fresh.theta();
  fresh.step(batch(stage));
  double largest = 0;
  for (Index i = 0; i < before.flat().count(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(fresh.theta().flat()[i] - before.flat()[i])));
  CHECK(largest == doctest::Approx(1e-3).epsilon(1e-3));
  // So is the average: it holds nothing of the stages before, and its rate is that of a first update.
  auto const mu = 2.0 / 11;
  Tensor<float> const averaged = mu * before.flat() + (1 - mu) * fresh.theta().flat();
  CHECK(distance(fresh.averaged().flat(), averaged) < 1e-7F);
}

TEST_CASE("progressive distillation goes on from a saved state, bit for bit, across a stage") {
  auto const make = [] {
    return Trainer{ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 4, .stage_steps = 3}},
                   Adam{}, D.initialize({1})};
  };
  auto straight = make();
  for (Index k = 0; k < 2; ++k) straight.step(batch(k));
  auto resumed = make();
  resumed.resume(straight.state());
  for (Index k = 2; k < 7; ++k) straight.step(batch(k)), resumed.step(batch(k));
  CHECK(same_state(straight.state(), resumed.state()));
}

TEST_CASE("a first number of steps that cannot be halved to 1 is rejected") {
  check_fails<ErrorCode::config>(
      [] {
        Trainer{ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 12}}, Adam{},
                D.initialize({1})};
      },
      {"ProgressiveTimes", "start", "12", "a power of 2"});
}
