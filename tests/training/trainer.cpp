// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/layer/dropout.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/schedule/adaptive_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/adaptive_ema_target.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using F = ConsistencyFunction<Mlp>;
using X = Tensor<float>;

/// A weight that overflows the sum of squares of the gradient, not the loss.
struct HugeWeighting {
  auto operator()(Operand auto const& t, Operand auto const&) const { return 0.0 * t + 1e30; }
};

/// A perceptron that counts how often it is evaluated, and how often a form of its first weights is made.
struct Counting {
  struct Counts {
    int evaluations = 0, forms = 0;
    bool prepared = false;  // at the last evaluation
    X form;
  };
  Mlp inner{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}};
  Counts* counts;

  ParameterTable const& parameters() const { return inner.parameters(); }
  Shape data_shape() const { return inner.data_shape(); }
  auto operator()(auto const& theta, Value auto const& x, Operand auto const& time, Mode const& mode) const {
    constexpr int of_this_test = 1000;
    ++counts->evaluations;
    auto const form = stop_gradient(theta[0]).prepared_form(of_this_test, [&] {
      ++counts->forms;
      return X{Shape{1}};
    });
    counts->prepared = form.defined();
    if (form.defined()) counts->form = form;
    return inner(theta, x, time, mode);
  }
};

F small() { return F{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}}; }

template <class Target = StopGradientTarget, class Weighting = UniformWeighting>
auto method(Target target = {}, Weighting weighting = {}) {
  return ConsistencyTraining{.f = small(),
                             .metric = PseudoHuber{},
                             .times = GridTimes<AdaptiveSteps>{.curriculum = {.K = 100}},
                             .weighting = weighting,
                             .target = target};
}
X batch(Index k) { return normal<float>({16, 2}, {99}, {static_cast<std::uint32_t>(k), 0}); }

template <class Method = decltype(method())>
auto trainer(TrainerSettings settings = {}, Method m = method()) {
  return Trainer{m, RAdam{.learning_rate = 1e-3}, m.f.initialize({1}), settings};
}

}  // namespace

TEST_CASE("a step reports the loss before the update, the gradient's norm and the number of points") {
  auto t = trainer({.key = {5}});
  for (Index k = 0; k < 3; ++k) {
    auto const before = t.theta();
    auto const report = t.step(batch(k));
    X const loss = t.method().loss(before, before, batch(k), t.method().draw(batch(k), k, Key{5}));
    CHECK(report.step == k + 1);
    CHECK(report.loss == static_cast<double>(loss[0]));
    CHECK(report.resolution == static_cast<double>(t.method().times.curriculum.points(k)));

    Tape<X> tape;
    auto const gradient = Parameters<X>{before.table()};
    Parameters<Variable<X>> watched;
    watched.watch(tape, before, gradient);
    tape.backward(t.method().loss(watched, before, batch(k), t.method().draw(batch(k), k, Key{5})));
    CHECK(relative_error(report.gradient_norm, std::sqrt(dot(gradient.flat(), gradient.flat()))) < 1e-6);
  }
}

TEST_CASE("sampling prepares the weights once a call and drops what it made, and a step prepares nothing") {
  Counting::Counts counts;
  auto const f = ConsistencyFunction{Counting{.counts = &counts}};
  auto t = Trainer{ConsistencyTraining{.f = f}, RAdam{}, f.initialize({1})};
  auto const settings = SampleSettings{.count = 6, .batch = 2};
  for (int call = 1; call <= 2; ++call) {
    sample(f, t.theta(), Multistep{.times = {10, 1}}, settings);
    CHECK(counts.prepared);
    CHECK(counts.evaluations == call * 3 * 3);
    CHECK(counts.forms == call);
    CHECK(counts.form.unique());
  }
  t.step(batch(0));
  CHECK_FALSE(counts.prepared);
  auto const prepared = PreparedParameters<X>{t.averaged()};
  for (int call = 0; call < 2; ++call) sample(f, prepared, OneStep{}, settings);
  CHECK(counts.forms == 3);
  CHECK_FALSE(counts.form.unique());
}

TEST_CASE("a teacher's weights are prepared once for all steps of a training run") {
  Counting::Counts counts;
  auto const D = Denoiser{Counting{.counts = &counts}};
  auto t = Trainer{ConsistencyDistillation{.f = small(), .velocity = TeacherVelocity{D, D.initialize({1})}},
                   RAdam{}, small().initialize({2})};
  for (Index k = 0; k < 3; ++k) t.step(batch(k));
  CHECK(counts.prepared);
  CHECK(counts.evaluations == 3 * 2);
  CHECK(counts.forms == 1);
}

TEST_CASE("the first step moves the parameters by the rate times the gradient") {
  auto t = trainer();
  auto const before = t.theta();
  auto const report = t.step(batch(0));
  double moved = 0;
  for (Index i = 0; i < before.flat().count(); ++i) {
    auto const d = static_cast<double>(before.flat()[i]) - static_cast<double>(t.theta().flat()[i]);
    moved += d * d;
  }
  CHECK(relative_error(std::sqrt(moved), 1e-3 * report.gradient_norm) < 1e-3);
  CHECK(t.state().step == 1);
  CHECK(t.state().key == Key{});
}

TEST_CASE("the same seed gives the same bits, another seed others") {
  auto const run = [](std::uint64_t seed) {
    auto t = trainer({.key = {seed}});
    for (Index k = 0; k < 10; ++k) t.step(batch(k));
    return t.state();
  };
  CHECK(same_state(run(1), run(1)));
  CHECK_FALSE(same_state(run(1), run(2)));
}

TEST_CASE("the average and the target follow the parameters by their recursions") {
  auto const check = [](auto target) {
    auto const m = method(target);
    auto t = trainer({.ema = Average::constant(0.9)}, m);
    auto averaged = t.theta().flat().clone();
    auto followed = t.theta().flat().clone();
    for (Index k = 0; k < 30; ++k) {
      auto const mu = target.rate(static_cast<double>(m.times.curriculum.points(k)));
      t.step(batch(k));
      averaged = 0.9 * averaged + (1 - 0.9) * t.theta().flat();
      followed = mu * followed + (1 - mu) * t.theta().flat();
      CHECK(distance(t.averaged().flat(), averaged) < 1e-6);
      CHECK(distance(t.state().target->flat(), followed) < 1e-6);
    }
    CHECK(distance(t.state().target->flat(), t.theta().flat()) > 0);
  };
  check(EmaTarget{0.5});
  check(AdaptiveEmaTarget{});
}

TEST_CASE("a target that does not follow takes no memory: the student itself is the target") {
  auto t = trainer();
  for (Index k = 0; k < 5; ++k) {
    auto const before = t.theta();
    X const loss = t.method().loss(before, before, batch(k), t.method().draw(batch(k), k, Key{}));
    CHECK(t.step(batch(k)).loss == static_cast<double>(loss[0]));
  }
  CHECK_FALSE(t.state().target);
}

TEST_CASE("a following target is what the loss is computed against") {
  auto t = trainer({}, method(EmaTarget{0.5}));
  for (Index k = 0; k < 5; ++k) {
    auto const state = t.state();
    X const loss = t.method().loss(state.theta, *state.target, batch(k), t.method().draw(batch(k), k, Key{}));
    CHECK(t.step(batch(k)).loss == static_cast<double>(loss[0]));
  }
}

TEST_CASE("a gradient above the limit is scaled to it, one below is left alone") {
  auto free = trainer();
  auto const norm = free.step(batch(0)).gradient_norm;
  auto clipped = trainer({.clip = norm / 4});
  CHECK(clipped.step(batch(0)).gradient_norm == norm);
  X const expected = 0.25 * free.state().at("first_moment").flat();
  CHECK(distance(clipped.state().at("first_moment").flat(), expected) < 1e-6 * magnitude(expected));
  auto wide = trainer({.clip = norm * 1.001});
  wide.step(batch(0));
  CHECK(same_state(wide.state(), free.state()));
}

TEST_CASE("a run steps to its end, or until the callback says no, and goes on from there") {
  auto straight = trainer();
  for (Index k = 0; k < 6; ++k) straight.step(batch(k));
  auto t = trainer();
  Index last = 0;
  t.run(batch, 6, [&](StepReport const& report) { return (last = report.step) < 4; });
  CHECK(last == 4);
  CHECK(t.state().step == 4);
  t.run(batch, 6, [&](StepReport const& report) { return (last = report.step) > 0; });
  CHECK(last == 6);
  CHECK(same_state(t.state(), straight.state()));
}

TEST_CASE("a state can be taken out and taken up") {
  auto straight = trainer({.key = {3}}, method(AdaptiveEmaTarget{}));
  for (Index k = 0; k < 5; ++k) straight.step(batch(k));
  auto const saved = straight.state();
  for (Index k = 5; k < 10; ++k) straight.step(batch(k));
  auto resumed = trainer({.key = {77}}, method(AdaptiveEmaTarget{}));
  resumed.resume(saved);
  for (Index k = 5; k < 10; ++k) resumed.step(batch(k));
  CHECK(same_state(resumed.state(), straight.state()));
  CHECK_FALSE(same_state(saved, straight.state()));
}

TEST_CASE("data that are not finite are rejected by sample, and the state stays") {
  auto t = trainer({}, method(EmaTarget{0.9}));
  t.step(batch(0));
  auto const before = t.state();
  for (auto const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity()})
    for (Index const at : {0, 13, 31}) {
      auto x = batch(1);
      x.mutable_data()[at] = bad;
      auto const sample = "sample " + number_text(at / 2) + " ";
      check_fails<ErrorCode::dataset>([&] { t.step(x); }, {"Trainer", sample, "not finite"});
      CHECK(same_state(t.state(), before));
    }
  check_fails<ErrorCode::dataset>([&] { t.step(X{Shape{0, 2}}); }, {"Trainer", "batch", "no data"});
  check_fails<ErrorCode::dataset>([&] { t.step(X{}); }, {"Trainer", "batch", "no data"});
  CHECK(same_state(t.state(), before));
}

TEST_CASE("data of the scale of bytes are rejected, and the state stays") {
  auto t = trainer();
  auto const before = t.state();
  auto x = batch(0);
  for (Index i = 4; i < 6; ++i) x.mutable_data()[i] = 200;
  check_fails<ErrorCode::dataset>([&] { t.step(x); }, {"Trainer", "sample 2 ", " 200,", "127.5"});
  CHECK(same_state(t.state(), before));
}

TEST_CASE("data of another shape are rejected, and the state stays") {
  auto t = trainer();
  t.step(batch(0));
  auto const before = t.state();
  check_fails<ErrorCode::shape>([&] { t.step(X(Shape{4, 3}, 0.5F)); }, {"(4, 11)"});
  CHECK(same_state(t.state(), before));
}

TEST_CASE("the average's rate warms up by (1 + k) / (10 + k) until it is that of the settings") {
  auto t = trainer({.ema = 0.5});
  auto expected = t.theta().flat().clone();
  for (Index k = 1; k <= 20; ++k) {
    t.step(batch(k - 1));
    auto const mu = std::min(0.5, (1.0 + static_cast<double>(k)) / (10.0 + static_cast<double>(k)));
    CHECK((mu < 0.5) == (k < 8));
    expected = mu * expected + (1 - mu) * t.theta().flat();
    CHECK(distance(t.averaged().flat(), expected) < 1e-6);
  }
}

TEST_CASE("a short run's average by default is of its last tenth, and forgets where it began") {
  // With θ known at each step, the weight of the start in the average is the product of the rates.
  double start = 1, recent = 1;
  for (Index k = 1; k <= 1000; ++k) {
    auto const mu = TrainerSettings{}.ema.at(k);
    start *= mu;
    if (k > 500) recent *= mu;
  }
  CHECK(start < 1e-15);
  CHECK(recent < 0.01);
  auto t = trainer();
  auto const theta0 = t.theta().flat().clone();
  for (Index k = 0; k < 300; ++k) t.step(batch(k));
  CHECK(distance(t.averaged().flat(), t.theta().flat()) < 0.5 * distance(theta0, t.theta().flat()));
}

TEST_CASE("a run that is resumed during the average's warm-up keeps its bits") {
  auto straight = trainer();
  for (Index k = 0; k < 5; ++k) straight.step(batch(k));
  auto state = trainer().state();
  for (Index k = 0; k < 5; ++k) {
    auto resumed = trainer();
    resumed.resume(state);
    resumed.step(batch(k));
    state = resumed.state();
  }
  CHECK(same_state(straight.state(), state));
}

TEST_CASE("a loss that is not finite is rejected, and the state stays") {
  auto t = trainer({}, method(EmaTarget{0.9}));
  for (Index k = 0; k < 3; ++k) t.step(batch(k));
  auto broken = t.state();
  for (auto& w : broken.theta.flat().mutable_values()) w *= 1e30F;
  auto const good = t.state();
  t.resume(broken);
  check_fails<ErrorCode::numeric>([&] { t.step(batch(3)); }, {"Trainer", "step 3", "loss"});
  CHECK(same_state(t.state(), broken));
  // The trainer is as good as new: going on from the good state gives what it would have given.
  t.resume(good);
  t.step(batch(3));
  auto straight = trainer({}, method(EmaTarget{0.9}));
  for (Index k = 0; k < 4; ++k) straight.step(batch(k));
  CHECK(same_state(t.state(), straight.state()));
}

TEST_CASE("a gradient that is not finite is rejected, and the state stays") {
  auto m = method(StopGradientTarget{}, HugeWeighting{});
  auto t = trainer({}, m);
  auto const before = t.state();
  check_fails<ErrorCode::numeric>([&] { t.step(batch(0)); }, {"Trainer", "step 0", "gradient norm"});
  CHECK(same_state(t.state(), before));
}

TEST_CASE("impossible settings are rejected with their values") {
  auto const nan = std::nan("");
  for (auto const ema : {1.0, -0.5, nan})
    check_fails<ErrorCode::config>([&] { trainer({.ema = ema}); },
                                   {"Trainer", "ema", number_text(ema), "[0, 1)"});
  for (auto const clip : {-1.0, nan})
    check_fails<ErrorCode::config>([&] { trainer({.clip = clip}); },
                                   {"Trainer", "clip", number_text(clip), "0 or more"});
  auto const other = F{Mlp{{.dimensions = 2, .width = 17, .layers = 2, .embedding = 8}}};
  auto const counts = {number_text(other.network().parameters().count()),
                       number_text(small().network().parameters().count())};
  for (auto const& count : counts)
    check_fails<ErrorCode::config>([&] { Trainer(method(), RAdam{}, other.initialize({1})); },
                                   {"Trainer", "parameters", count});
}

TEST_CASE("impossible settings of a policy are rejected when the trainer is built") {
  check_fails<ErrorCode::config>([&] { trainer({}, method(EmaTarget{1})); }, {"EmaTarget", "found 1,"});
  check_fails<ErrorCode::config>([&] { trainer({}, method(EmaTarget{-1})); }, {"EmaTarget", "found -1,"});
  auto const m = method();
  auto const start = m.f.initialize({1});
  check_fails<ErrorCode::config>([&] { Trainer(m, RAdam{.learning_rate = 0}, start); },
                                 {"RAdam", "learning_rate", "found 0,", "positive"});
  check_fails<ErrorCode::config>([&] { Trainer(m, Adam{.beta2 = 1}, start); }, {"Adam", "beta2", "found 1,"});
  auto const with_times = [&](AdaptiveSteps curriculum) {
    auto changed = m;
    changed.times = {curriculum};
    trainer({}, changed);
  };
  check_fails<ErrorCode::config>([&] { with_times({.K = 0}); }, {"AdaptiveSteps", "K", "found 0,"});
  check_fails<ErrorCode::config>([&] { GapTimes{.q = 1}.check(); }, {"GapTimes", "q", "found 1,"});
  check_fails<ErrorCode::config>([&] { GapTimes{.kappa = -3}.check(); }, {"GapTimes", "kappa", "found -3,"});
  check_fails<ErrorCode::config>([&] { FixedSteps{.N = 1}.check(); }, {"FixedSteps", "N", "found 1,"});
}

TEST_CASE("a gradient that is recorded takes each step's own batch, noise and times") {
  auto plain = trainer({.key = Key{5}});
  auto recorded = trainer({.key = Key{5}, .record = true});
  for (Index k = 0; k < 4; ++k) {
    auto const part = batch(k).view(0, {k == 2 ? 8 : 16, 2});
    CHECK(plain.step(part).loss == recorded.step(part).loss);
  }
  CHECK(same_state(plain.state(), recorded.state()));
}

TEST_CASE("dropout cannot be recorded") {
  auto const dropout = Dropout{0.5, 0};
  X const x{Shape{2, 2}, 1.0F};
  CHECK_THROWS_WITH_AS(dropout(x, Mode{.training = true, .recorded = true}), doctest::Contains("recorded"),
                       config_error);
  CHECK(Dropout{0, 0}(x, Mode{.training = true, .recorded = true})[0] == 1);
}
