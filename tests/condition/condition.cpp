// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/condition/class_labels.hpp>
#include <consistency/condition/given.hpp>
#include <consistency/condition/guidance_strengths.hpp>
#include <consistency/condition/observations.hpp>
#include <consistency/condition/product.hpp>
#include <consistency/data/batch.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

using X = Tensor<float>;
static_assert(ConditionModel<ConditionProduct<ClassLabels, Observations>> && !ConditionModel<X> &&
              !ConditionModel<int>);

TEST_CASE("labels are rows of the unit matrix, and one outside the classes is rejected with its sample") {
  auto const rows = ClassLabels{.labels = {2, 0}, .classes = 3}.features();
  CHECK(same_bits(rows, tensor<float>({2, 3}, {0, 0, 1, 1, 0, 0})));
  for (Index const label : {3, -1, 1000})
    check_fails<ErrorCode::config>(
        [&] {
          ClassLabels{.labels = {0, label}, .classes = 3}.features();
        },
        {"ClassLabels", "sample 1", number_text(label), "0 to 2"});
  check_fails<ErrorCode::config>([] { ClassLabels{.labels = {0}}.features(); }, {"ClassLabels", "classes"});
}

TEST_CASE("no observation is the null condition, and one that is not finite is rejected with its sample") {
  auto const zero = Observations{X{Shape{2, 2}, 0.0F}}.features();
  CHECK(same_bits(zero, tensor<float>({2, 3}, {1, 0, 0, 1, 0, 0})));
  auto bad = X{Shape{2, 2}, 0.0F};
  bad.mutable_data()[3] = std::numeric_limits<float>::infinity();
  check_fails<ErrorCode::numeric>([&] { Observations{bad}.features(); }, {"Observations", "sample 1", "inf"});
  check_fails<ErrorCode::shape>([] { Observations{X{Shape{2}}}.features(); }, {"Observations", "(2)"});
  check_fails<ErrorCode::shape>([] { Observations{}.features(); }, {"Observations", "none"});
}

TEST_CASE("guidance strengths are told by their logarithm, and must be positive") {
  auto const rows = GuidanceStrengths{{1, std::exp(2.0)}}.features();
  CHECK(rows.shape() == Shape{2, 2});
  CHECK(rows(0, 0) == 1.0F);
  CHECK(rows(0, 1) == 0.0F);
  CHECK(rows(1, 1) == doctest::Approx(2).epsilon(1e-6));
  for (auto const bad : {0.0, -1.0, std::nan("")})
    check_fails<ErrorCode::config>([&] { GuidanceStrengths{{1, bad}}.features(); }, {"sample 1", "positive"});
}

TEST_CASE("a product has the features of both, for as many samples of each") {
  auto const both = ConditionProduct{ClassLabels{.labels = {1, 0}, .classes = 2}, GuidanceStrengths{{1, 1}}};
  CHECK(same_bits(both.features(), tensor<float>({2, 4}, {0, 1, 1, 0, 1, 0, 1, 0})));
  check_fails<ErrorCode::shape>(
      [] {
        ConditionProduct{ClassLabels{.labels = {1}, .classes = 2}, GuidanceStrengths{{1, 1}}}.features();
      },
      {"ConditionProduct", "1 and 2"});
}

TEST_CASE("a condition goes with its samples, and some of them may have the null condition") {
  Condition<X> const condition = ClassLabels{.labels = {2, 0, 1}, .classes = 3};
  CHECK(condition.count() == 3);
  CHECK(condition.width() == 3);
  CHECK(same_bits(condition.rows(1, 2).features(), tensor<float>({2, 3}, {1, 0, 0, 0, 1, 0})));
  CHECK(same_bits(condition.null().features(), X(Shape{3, 3}, 0.0F)));
  CHECK(same_bits(condition.kept(tensor<float>({3, 1}, {1, 0, 1})).features(),
                  tensor<float>({3, 3}, {0, 0, 1, 0, 0, 0, 0, 1, 0})));
  auto const in_double = to_numbers<Tensor<double>>(condition);
  CHECK(in_double.features()(0, 2) == 1.0);

  Condition<X> const none;
  CHECK_FALSE(none.defined());
  CHECK_FALSE(none.rows(0, 2).defined());
  CHECK_FALSE(none.null().defined());
  CHECK_FALSE(to_numbers<Tensor<double>>(none).defined());
  check_fails<ErrorCode::shape>([] { Condition<X>{X{Shape{3}}}; }, {"Condition", "(3)"});

  Batch<X> const batch{X{Shape{3, 2}, 0.5F}, condition};
  auto const part = batch.rows(1, 2);
  CHECK(part.x0.shape() == Shape{2, 2});
  CHECK(same_bits(part.condition.features(), condition.rows(1, 2).features()));
  CHECK(Batch<X>{batch.x0}.condition.defined() == false);
  check_fails<ErrorCode::config>(
      [&] {
        Batch<X>(X{Shape{2, 2}, 0.5F}, condition);
      },
      {"Batch", "one of 3 samples", "2 samples"});
}

TEST_CASE("a function of x and t alone is rejected a condition, and taken as it is without one") {
  auto const f = [](X const& x, X const&) { return x; };
  Condition<X> const some = ClassLabels{.labels = {0}, .classes = 1};
  auto const x = X{Shape{1, 1}, 2.0F};
  CHECK(with_condition(f, Condition<X>{})(x, x)[0] == 2.0F);
  check_fails<ErrorCode::config>([&] { with_condition(f, some)(x, x); }, {"condition", "given(condition)"});
}
