// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/target/adaptive_ema_target.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/target/stop_gradient_target.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using consistency::test::check_fails;

static_assert(TargetNetwork<StopGradientTarget> && TargetNetwork<EmaTarget> &&
              TargetNetwork<AdaptiveEmaTarget>);
static_assert(!StopGradientTarget::has_target && EmaTarget::has_target && AdaptiveEmaTarget::has_target);

namespace {

struct Row {
  char const* name;
  AdaptiveSteps curriculum;
  AdaptiveEmaTarget target;
  std::array<double, 9> code;  // μ of the released programs at k = 0, 1 and the shares below
};
constexpr auto shares = std::array{0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0};
auto const rows = std::array{
    Row{"CIFAR-10",
        {.s0 = 2, .s1 = 150, .K = 800000},
        {.s0 = 2, .mu0 = 0.9},
        {.81, .9, .958732, .986050, .995527, .997194, .998014, .998380, .998596}},
    Row{"ImageNet 64",
        {.s0 = 2, .s1 = 200, .K = 800000},
        {.s0 = 2, .mu0 = 0.95},
        {.9025, .95, .983048, .994884, .998373, .998975, .999278, .999411, .999487}},
    Row{"LSUN 256",
        {.s0 = 2, .s1 = 150, .K = 1000000},
        {.s0 = 2, .mu0 = 0.95},
        {.9025, .95, .979692, .993184, .997820, .998633, .999033, .999211, .999316}},
};

}  // namespace

TEST_CASE("the adaptive rate is the formula of the paper: mu to the power N is mu0 to the power s0") {
  for (auto const& row : rows)
    for (Index k = 0; k <= row.curriculum.K; k += row.curriculum.K / 97) {
      auto const points = static_cast<double>(row.curriculum.points(k));
      auto const mu = row.target.rate(points);
      CHECK(mu == doctest::Approx(std::pow(row.target.mu0, row.target.s0 / points)).epsilon(1e-14));
      CHECK(std::pow(mu, points) == doctest::Approx(row.target.mu0 * row.target.mu0).epsilon(1e-12));
    }
  CHECK(AdaptiveEmaTarget{}.rate(2) == doctest::Approx(0.9).epsilon(1e-15));
}

TEST_CASE("the rates of the released programs are the paper's with N - 1 in place of N") {
  for (auto const& row : rows) {
    CAPTURE(row.name);
    auto const check = [&](Index k, double mu) {
      CAPTURE(k);
      auto target = row.target;
      target.denominator = Denominator::intervals;
      CHECK(std::abs(target.rate(static_cast<double>(row.curriculum.points(k))) - mu) < 5.1e-7);
    };
    check(0, row.code[0]);
    check(1, row.code[1]);
    for (std::size_t i = 0; i < shares.size(); ++i)
      check(static_cast<Index>(shares[i] * static_cast<double>(row.curriculum.K)), row.code[i + 2]);
  }
}

TEST_CASE("the adaptive rate rises with the number of points and stays below 1") {
  double last = 0;
  for (double points = 2; points < 2000; points *= 1.3) {
    auto const mu = AdaptiveEmaTarget{}.rate(points);
    CHECK(mu > last);
    CHECK(mu < 1);
    last = mu;
  }
}

TEST_CASE("a fixed rate is fixed, and a stopped gradient has none") {
  CHECK(EmaTarget{}.rate(2) == 0.95);
  CHECK(EmaTarget{0.3}.rate(1281) == 0.3);
  CHECK(EmaTarget{0}.rate(2) == 0.0);
  CHECK(StopGradientTarget{}.rate(2) == 0.0);
}

TEST_CASE("an impossible rate is rejected with its value") {
  for (auto const mu : {1.0, 1.5, -0.1, std::nan("")}) {
    auto const text = number_text(mu);
    check_fails<ErrorCode::config>([&] { EmaTarget{mu}.rate(2); }, {"EmaTarget", "mu", text, "[0, 1)"});
    check_fails<ErrorCode::config>([&] { AdaptiveEmaTarget{2, mu}.rate(2); }, {"AdaptiveEmaTarget", text});
    check_fails<ErrorCode::config>([&] { AdaptiveEmaTarget{-mu * mu}.rate(2); },
                                   {"AdaptiveEmaTarget", "s0", "a positive finite number"});
  }
  check_fails<ErrorCode::config>([] { AdaptiveEmaTarget{std::numeric_limits<double>::infinity()}.rate(2); },
                                 {"AdaptiveEmaTarget", "s0", "found inf"});
}
