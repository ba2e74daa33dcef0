// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/consistency.hpp>
#include <consistency/data/mixture.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

Mlp const net{{.dimensions = 2, .width = 48, .layers = 2, .condition = {.features = 2}}};

/// Points near (−0.5, 0) of class 0 and near (0.5, 0) of class 1.
Batch<X> two_classes(Index k) {
  constexpr Index n = 256;
  X x0 = 0.05 * normal<float>({n, 2}, Key{1}, {static_cast<std::uint32_t>(k)});
  ClassLabels labels{.labels = {}, .classes = 2};
  for (Index i = 0; i < n; ++i) {
    labels.labels.push_back(i % 2);
    x0.mutable_data()[2 * i] += i % 2 == 0 ? -0.5F : 0.5F;
  }
  return {x0, labels};
}
static_assert(Batches<decltype(two_classes)> && Batches<MixtureBatches> && !Batches<int>);

/// How many of 100 samples of each class lie on its side.
int on_their_side(auto const& f, auto const& theta, auto const& sampler) {
  ClassLabels labels{.labels = {}, .classes = 2};
  for (Index i = 0; i < 200; ++i) labels.labels.push_back(i % 2);
  auto const x = sample(f, theta, sampler, {.seed = 5, .count = 200, .condition = labels});
  int right = 0;
  for (Index i = 0; i < 200; ++i) right += (x(i, 0) > 0) == (i % 2 == 1) ? 1 : 0;
  return right;
}

}  // namespace

TEST_CASE("a teacher of classes and a student of the guided teacher draw what they are told") {
  constexpr Index steps = 1200;
  auto const optimizer =
      RAdam{.learning_rate = 2e-3, .beta2 = 0.99, .schedule = {.decay_from = steps / 2, .decay_to = steps}};
  auto const go_on = [](StepReport const&) { return true; };
  Denoiser const D{net};
  ConsistencyFunction const f{net};
  Trainer teacher{
      DenoiserTraining{.f = D}, optimizer, D.initialize(Key{2}), {.ema = 0.99, .condition_dropout = 0.2}};
  teacher.run(two_classes, steps, go_on);
  CHECK(on_their_side(D, teacher.averaged(), OdeSampler<>{}) > 195);
  Guided const guided{D, 2.0};
  CHECK(on_their_side(guided, teacher.averaged(), OdeSampler<>{}) == 200);
  auto const without = on_their_side(Guided{D, 0.0}, teacher.averaged(), OdeSampler<>{});
  CHECK(without > 60);
  CHECK(without < 140);

  Trainer student{ConsistencyDistillation{.f = f, .velocity = TeacherVelocity{guided, teacher.averaged()}},
                  optimizer,
                  teacher.averaged(),
                  {.ema = 0.99, .clip = 1}};
  student.run(two_classes, steps, go_on);
  CHECK(on_their_side(f, student.averaged(), OneStep{}) > 195);
}

TEST_CASE("which conditions are dropped depends on key, step and sample alone") {
  auto const batch = two_classes(3);
  auto const dropped = [&](Batch<X> const& of, Index k, Key key, std::uint32_t first) {
    auto const kept = without_some_conditions(of, 0.3, k, key, first);
    std::vector<bool> none;
    for (Index i = 0; i < of.count(); ++i)
      none.push_back(kept.condition.features()(i, 0) + kept.condition.features()(i, 1) == 0.0F);
    return none;
  };
  auto const all = dropped(batch, 7, Key{1}, 0);
  auto const count = std::count(all.begin(), all.end(), true);
  CHECK(count > 50);  // 77 are expected of 256, ± 7
  CHECK(count < 104);
  CHECK(dropped(batch, 7, Key{1}, 0) == all);
  CHECK(dropped(batch, 8, Key{1}, 0) != all);
  CHECK(dropped(batch, 7, Key{2}, 0) != all);
  auto const later = dropped(batch.rows(100, 50), 7, Key{1}, 100);
  CHECK(std::equal(later.begin(), later.end(), all.begin() + 100));
  CHECK(same_bits(without_some_conditions(batch, 0, 7, Key{1}, 0).condition.features(),
                  batch.condition.features()));
}

TEST_CASE(
    "a batch without the condition that its network needs, or with one too many, leaves the state as it "
    "was") {
  ConsistencyFunction const f{net};
  Trainer trainer{ConsistencyTraining{.f = f}, RAdam{}, f.initialize(Key{1}), {.condition_dropout = 0.1}};
  auto const before = trainer.state();
  check_fails<ErrorCode::config>([&] { trainer.step(two_classes(0).x0); },
                                 {"condition_dropout", "without a condition"});
  CHECK(same_state(trainer.state(), before));
  Trainer plain{ConsistencyTraining{.f = f}, RAdam{}, f.initialize(Key{1})};
  check_fails<ErrorCode::config>([&] { plain.step(two_classes(0).x0); },
                                 {"condition", "found none", "2 features"});
  CHECK(same_state(plain.state(), before));
  ConsistencyFunction const free{Mlp{{.dimensions = 2}}};
  Trainer other{ConsistencyTraining{.f = free}, RAdam{}, free.initialize(Key{1})};
  check_fails<ErrorCode::config>([&] { other.step(two_classes(0)); },
                                 {"condition", "found 2 features", "none"});
}

TEST_CASE("what was trained to T = 10 is drawn from T = 10 without a word") {
  ConsistencyFunction const f{Mlp{{.dimensions = 1}}, EdmPreconditioning{}, VarianceExploding{.T = 10}};
  Trainer trainer{ConsistencyTraining{.f = f, .times = GapTimes{}}, RAdam{}, f.initialize(Key{1})};
  auto const drawn = trainer.method().draw(X{Shape{1000, 1}}, 0, Key{1});
  for (Index i = 0; i < 1000; ++i) REQUIRE(drawn.times[0][i] < 10.0F);
  auto const z = normal<float>({4, 1}, Key{9, stream::sampling});
  X const expected = f(trainer.theta(), evaluated(10.0 * z), X(Shape{4, 1}, 10.0F));
  CHECK(same_bits(sample(f, trainer.theta(), OneStep{}, {.seed = 9, .count = 4}), expected));
  CHECK(trainer.state().process == "VarianceExploding{.epsilon = 0.002, .T = 10, .rho = 7}");

  ConsistencyFunction const wider{Mlp{{.dimensions = 1}}};
  Trainer other{ConsistencyTraining{.f = wider}, RAdam{}, wider.initialize(Key{1})};
  check_fails<ErrorCode::config>([&] { other.resume(trainer.state()); },
                                 {"noise process", ".T = 10", ".T = 80"});
  auto of_before = trainer.state();
  of_before.process.clear();
  other.resume(of_before);
}
