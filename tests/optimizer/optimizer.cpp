// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/optimizer/adam.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Optimizer<Adam> && Optimizer<RAdam>);

namespace {

template <class S>
Tensor<S> gradient_of(Index step, Index count) {
  auto g = normal<S>({1, count}, {static_cast<std::uint64_t>(step), stream::noise}).reshaped({count});
  for (Index i = 0; i < count; i += 5) g.mutable_data()[i] *= S(0.01);
  return g;
}

/// One parameter by the formulas of the papers in double: Kingma & Ba 2015, Algorithm 1.
struct PlainAdam {
  double lr = 1e-3, b1 = 0.9, b2 = 0.999, epsilon = 1e-8;
  double theta = 0, m = 0, v = 0;

  void step(double g, double t) {
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    auto const m_hat = m / (1 - std::pow(b1, t));
    auto const v_hat = v / (1 - std::pow(b2, t));
    theta -= lr * m_hat / (std::sqrt(v_hat) + epsilon);
  }
};

/// Liu et al. 2020, Algorithm 2, with epsilon added to the root of v as their program does.
struct PlainRAdam {
  double lr = 4e-4, b1 = 0.9, b2 = 0.999, epsilon = 1e-8;
  double theta = 0, m = 0, v = 0;

  void step(double g, double t) {
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    auto const m_hat = m / (1 - std::pow(b1, t));
    auto const longest = 2 / (1 - b2) - 1;
    auto const length = longest - 2 * t * std::pow(b2, t) / (1 - std::pow(b2, t));
    if (length > 5) {
      auto const adaptive = std::sqrt(1 - std::pow(b2, t)) / (std::sqrt(v) + epsilon);
      auto const r =
          std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
      theta -= lr * r * m_hat * adaptive;
    } else {
      theta -= lr * m_hat;
    }
  }
};

template <class S>
struct Arenas {
  explicit Arenas(Index count)
      : theta{normal<S>({1, count}, {1000}).reshaped({count})},
        m(Shape{count}, S(0)),
        v(Shape{count}, S(0)) {}
  void step(MomentStep const& at, Tensor<S> const& g, double scale = 1) {
    moment_update(MomentUpdate<Tensor<S>>{.step = at,
                                          .gradient_scale = scale,
                                          .gradient = g,
                                          .first_moment = m,
                                          .second_moment = v,
                                          .theta = theta});
  }
  Tensor<S> theta, m, v;
};

template <class S, class Plain>
void check_against(Plain plain, auto const& optimizer, double tolerance) {
  for (Index const count : {1, 3, 16, 33, 100}) {
    auto arenas = Arenas<S>(count);
    std::vector<Plain> expected;
    for (auto const theta : arenas.theta.values()) {
      plain.theta = static_cast<double>(theta);
      expected.push_back(plain);
    }
    for (Index k = 1; k <= 60; ++k) {
      auto const g = gradient_of<S>(k, count);
      arenas.step(optimizer.at(k), g);
      double error = 0;
      for (Index i = 0; i < count; ++i) {
        auto& e = expected[static_cast<std::size_t>(i)];
        e.step(static_cast<double>(g[i]), static_cast<double>(k));
        error = std::fmax(error, std::abs(static_cast<double>(arenas.theta[i]) - e.theta));
      }
      CHECK(error < tolerance);
    }
  }
}

}  // namespace

TEST_CASE("Adam is that of its paper") {
  check_against<double>(PlainAdam{}, Adam{}, 1e-14);
  check_against<float>(PlainAdam{}, Adam{}, 1e-5);
  check_against<double>(PlainAdam{.lr = 0.01, .b1 = 0.5, .b2 = 0.9, .epsilon = 1e-3},
                        Adam{.learning_rate = 0.01, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3}, 1e-13);
}

TEST_CASE("rectified Adam is that of its paper") {
  check_against<double>(PlainRAdam{}, RAdam{}, 1e-14);
  check_against<float>(PlainRAdam{}, RAdam{}, 1e-5);
  check_against<double>(PlainRAdam{.lr = 0.01, .b1 = 0.5, .b2 = 0.9, .epsilon = 1e-3},
                        RAdam{.learning_rate = 0.01, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3}, 1e-13);
}

TEST_CASE("the length of the moving average and its rectification have the values of the formulas") {
  constexpr auto lengths = std::array{1.0, 1.9995, 2.9987, 3.9975, 4.9960, 5.9942};
  for (std::size_t k = 1; k <= lengths.size(); ++k)
    CHECK(std::abs(RAdam{}.length(static_cast<Index>(k)) - lengths[k - 1]) < 5.1e-5);
  CHECK(relative_error(RAdam{}.rectification(6), .02582111) < 2e-7);
  CHECK(relative_error(RAdam{}.rectification(7), .03273881) < 2e-7);
  CHECK(relative_error(RAdam{}.rectification(10), .04899801) < 2e-7);
  CHECK(relative_error(RAdam{}.rectification(100), .21533544) < 2e-8);
  CHECK(relative_error(RAdam{}.rectification(1000), .64532565) < 2e-8);
  CHECK(RAdam{}.length(1000000) == doctest::Approx(1999));
  CHECK(RAdam{}.rectification(1000000) == doctest::Approx(1));
}

TEST_CASE("the first five updates of rectified Adam are the averaged gradient, the sixth is adaptive") {
  for (Index k = 1; k <= 5; ++k) CHECK_FALSE(RAdam{}.at(k).adaptive);
  for (Index k = 6; k <= 20; ++k) CHECK(RAdam{}.at(k).adaptive);
  // On a constant gradient the average is that gradient: steps of size rate · g, then rate · r · sign(g).
  auto arenas = Arenas<double>(2);
  auto const g = tensor<double>({2}, {100.0, -0.01});
  for (Index k = 1; k <= 8; ++k) {
    auto const before = arenas.theta.clone();
    arenas.step(RAdam{.learning_rate = 0.5}.at(k), g);
    for (Index i = 0; i < 2; ++i) {
      auto const size = k <= 5 ? g[i] : std::copysign(RAdam{}.rectification(k), g[i]);
      CHECK(arenas.theta[i] == doctest::Approx(before[i] - 0.5 * size).epsilon(1e-5));
    }
  }
}

TEST_CASE("the gradient's scale multiplies the gradient") {
  auto scaled = Arenas<double>(7);
  auto plain = Arenas<double>(7);
  for (Index k = 1; k <= 10; ++k) {
    auto const g = gradient_of<double>(k, 7);
    scaled.step(RAdam{}.at(k), g, 0.25);
    plain.step(RAdam{}.at(k), evaluated(0.25 * g));
  }
  CHECK(same_bits(scaled.theta, plain.theta));
  CHECK(same_bits(scaled.v, plain.v));
}

TEST_CASE("the rate rises over the warm-up and falls to 0, counted by updates done as optax counts") {
  // optax.join_schedules of linear_schedule(0, 1, 10), 1 and linear_schedule(1, 0, 100) at count = k − 1.
  auto const s = RateSchedule{.warmup = 10, .decay_from = 100, .decay_to = 200};
  CHECK(s.factor(1) == 0.0);
  CHECK(s.factor(2) == doctest::Approx(0.1));
  CHECK(s.factor(6) == doctest::Approx(0.5));
  CHECK(s.factor(11) == 1.0);
  CHECK(s.factor(101) == 1.0);
  CHECK(s.factor(151) == doctest::Approx(0.5));
  CHECK(s.factor(200) == doctest::Approx(0.01));  // the last of 200 updates moves something
  CHECK(s.factor(201) == 0.0);
  CHECK(s.factor(1000) == 0.0);
  CHECK(RateSchedule{}.factor(1) == 1.0);
  CHECK(RateSchedule{}.factor(1000000) == 1.0);
  auto const full = RAdam{}.at(20);
  auto const half = RAdam{.schedule = {.warmup = 38}}.at(20);
  CHECK(half.rate == doctest::Approx(full.rate / 2).epsilon(1e-14));
  CHECK(half.epsilon == full.epsilon);
}

TEST_CASE("rates, epsilons and schedules that are impossible are rejected with their value") {
  auto const nan = std::nan("");
  auto const infinity = std::numeric_limits<double>::infinity();
  auto const check = [](auto const& optimizer, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>([&] { optimizer.check(); }, words);
  };
  for (auto const bad : {nan, infinity, -infinity, 0.0, -1.0}) {
    auto const found = "found " + number_text(bad) + ",";
    check(Adam{.learning_rate = bad}, {"Adam", "learning_rate", found, "positive finite"});
    check(RAdam{.learning_rate = bad}, {"RAdam", "learning_rate", found, "positive finite"});
    check(Adam{.epsilon = bad}, {"Adam", "epsilon", found});
    check(RAdam{.epsilon = bad}, {"RAdam", "epsilon", found});
  }
  for (auto const bad : {nan, infinity, 1.0, -0.1}) {
    check(Adam{.beta1 = bad}, {"Adam", "beta1", number_text(bad)});
    check(RAdam{.beta2 = bad}, {"RAdam", "beta2", number_text(bad)});
  }
  check(Adam{.schedule = {.warmup = -1}}, {"RateSchedule", "warmup", "-1"});
  check(RAdam{.schedule = {.decay_from = -5}}, {"RateSchedule", "decay_from", "-5"});
  check(RAdam{.schedule = {.decay_from = 10, .decay_to = 10}},
        {"RateSchedule", "decay_to", "more than decay_from"});
  RAdam{.schedule = {.warmup = 3, .decay_from = 0, .decay_to = 1}}.check();
}

TEST_CASE_TEMPLATE("averages of constant weights follow the closed form", S, float, double) {
  constexpr Index count = 37;
  auto theta = normal<S>({1, count}, {1}).reshaped({count});
  auto const weights = theta.clone();
  auto slow = normal<S>({1, count}, {2}).reshaped({count});
  auto fast = slow.clone();
  auto const start = slow.clone();
  auto m = Tensor<S>(Shape{count}, S(0)), v = Tensor<S>(Shape{count}, S(0));
  auto const nothing = Tensor<S>(Shape{count}, S(0));
  auto const ulp = static_cast<double>(std::numeric_limits<S>::epsilon());
  for (Index k = 1; k <= 200; ++k) {
    moment_update(MomentUpdate<Tensor<S>>{.step = RAdam{}.at(k),
                                          .gradient = nothing,
                                          .first_moment = m,
                                          .second_moment = v,
                                          .theta = theta,
                                          .averages = {{{slow, 0.99}, {fast, 0.9}}}});
    auto const error = [&](Tensor<S> const& average, double mu) {
      double largest = 0;
      for (Index i = 0; i < count; ++i) {
        auto const w = static_cast<double>(weights[i]);
        auto const expected = w + std::pow(mu, static_cast<double>(k)) * (static_cast<double>(start[i]) - w);
        largest = std::fmax(largest, std::abs(static_cast<double>(average[i]) - expected));
      }
      return largest;
    };
    CHECK(error(slow, 0.99) < 4 * ulp * static_cast<double>(k));  // of numbers below 4
    CHECK(error(fast, 0.9) < 40 * ulp);
  }
  CHECK(same_bits(theta, weights));
}

TEST_CASE("an average takes the parameters after the update, and an undefined one is skipped") {
  auto arenas = Arenas<double>(5);
  auto average = arenas.theta.clone();
  auto const before = arenas.theta.clone();
  auto const gradient = gradient_of<double>(1, 5);
  moment_update(MomentUpdate<Tensor<double>>{.step = Adam{}.at(1),
                                             .gradient = gradient,
                                             .first_moment = arenas.m,
                                             .second_moment = arenas.v,
                                             .theta = arenas.theta,
                                             .averages = {{{}, {average, 0.75}}}});
  CHECK_FALSE(same_bits(arenas.theta, before));
  for (Index i = 0; i < 5; ++i)
    CHECK(average[i] == doctest::Approx(0.75 * before[i] + 0.25 * arenas.theta[i]).epsilon(1e-15));
}
