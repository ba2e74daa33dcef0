// SPDX-License-Identifier: MIT
#include <limits>

#include <doctest/doctest.h>

#include <consistency/condition/class_labels.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/guided.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .condition = {.features = 3}}}};
auto const theta = f.initialize(Key{1});
Condition<X> const some = ClassLabels{.labels = {2, 0, 1, 1}, .classes = 3};
auto const x = normal<float>({4, 2}, {2});
auto const t = times<float>(4, 0.7);

}  // namespace

TEST_CASE(
    "guidance goes along the difference that the condition makes: 0 without it, 1 with it, 2 twice as far") {
  X const with = f.given(some)(theta, x, t);
  auto const null = some.null();
  X const without = f.given(null)(theta, x, t);
  CHECK(distance(with, without) > 1e-3);
  auto const guided = [&](double w) -> X {
    Guided const g{f, w};
    return g.given(some)(theta, x, t);
  };
  CHECK(same_bits(guided(0), without));
  CHECK(same_bits(guided(1), with));
  CHECK(distance<float>(guided(2), X(2.0 * with - without)) < 1e-6);
  CHECK(distance<float>(guided(0.5), X(0.5 * with + 0.5 * without)) < 1e-6);
}

TEST_CASE("each sample of a draw has its own condition, in any batch") {
  Guided const g{f, 1.5};
  auto const settings = [](Index batch) {
    return SampleSettings{.seed = 3,
                          .count = 7,
                          .batch = batch,
                          .condition = ClassLabels{.labels = {0, 1, 2, 0, 1, 2, 2}, .classes = 3}};
  };
  auto const all = sample(g, theta, OneStep{}, settings(64));
  for (Index const batch : {1, 2, 3, 7}) CHECK(same_bits(sample(g, theta, OneStep{}, settings(batch)), all));
  CHECK_FALSE(same_bits(sample(f, theta, OneStep{}, settings(64)), all));
}

TEST_CASE("a network without a condition, or without a null condition, is not guided") {
  check_fails<ErrorCode::config>([] { Guided{ConsistencyFunction{Mlp{}}, 2}; }, {"Guided", "no condition"});
  ConsistencyFunction const always{Mlp{{.condition = {.features = 3, .null = false}}}};
  check_fails<ErrorCode::config>(
      [&] {
        Guided{always, 2};
      },
      {"Guided", "null condition", "condition_dropout"});
  check_fails<ErrorCode::config>(
      [] {
        Guided{f, std::numeric_limits<double>::infinity()};
      },
      {"strength", "inf"});
}
