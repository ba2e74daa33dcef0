// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

constexpr auto largest_float = std::numeric_limits<float>::max();

auto network(Index width = 16) {
  return ConsistencyFunction{Mlp{{.dimensions = 2, .width = width, .layers = 2, .embedding = 8}}};
}
X batch(Index k) { return 0.5 * normal<float>({16, 2}, {99}, {static_cast<std::uint32_t>(k), 0}); }

template <class O = RAdam>
auto trainer(O optimizer = {}, TrainerSettings settings = {}, Index width = 16) {
  auto const f = network(width);
  return Trainer{ConsistencyTraining{.f = f,
                                     .metric = PseudoHuber{},
                                     .times = GridTimes<>{},
                                     .weighting = UniformWeighting{},
                                     .target = EmaTarget{0.5}},
                 optimizer, f.initialize({1}), settings};
}

/// The state of a run: all of its arenas have numbers.
TrainingState<X> warm() {
  auto run = trainer();
  for (Index k = 0; k < 10; ++k) run.step(batch(k));
  return run.state();
}

/// An update that a user wrote: as it says, whatever that is.
struct Stated {
  static constexpr auto state_names = moment_names;
  MomentStep step;
  MomentStep at(Index) const { return step; }
  template <class Any>
  void update(Update<Any>& u) const {
    apply_moments(step, u);
  }
};

/// A target that a user wrote, with a rate that is none.
struct Above {
  static constexpr bool has_target = true;
  double rate(double) const { return 1.5; }
};

bool all_finite(TrainingState<X> const& state) {
  auto finite = true;
  for_arenas(state, [&](std::string const&, Parameters<X> const& arena) {
    for (auto const v : arena.flat().values()) finite = finite && std::isfinite(v);
  });
  return finite;
}

}  // namespace

TEST_CASE("however large the rate, a step either leaves finite numbers or throws and changes nothing") {
  for (auto const rate : {1e3, 1e10, 1e20, 1e30, 1e37, 1e38, 3e38, 1e39, 1e300})
    for (auto const clip : {0.0, 1.0}) {
      CAPTURE(rate);
      auto const f = network();
      auto t = Trainer{ConsistencyTraining{.f = f,
                                           .metric = PseudoHuber{},
                                           .times = GridTimes<>{},
                                           .weighting = UniformWeighting{},
                                           .target = EmaTarget{0.5}},
                       Adam{.learning_rate = rate},
                       f.initialize({1}),
                       {.clip = clip}};
      auto threw = false;
      for (Index k = 0; k < 20 && !threw; ++k) {
        auto const before = t.state();
        try {
          t.step(batch(k));
          REQUIRE(all_finite(t.state()));
        } catch (numeric_error const&) {
          threw = true;
          REQUIRE(same_state(t.state(), before));
        }
      }
      CHECK((rate < 1e4 || threw));
    }
}

TEST_CASE("an update that would overflow is rejected with the parameter's name") {
  auto t = trainer(Adam{.learning_rate = 1e39});
  t.resume(warm());
  auto const before = t.state();
  check_fails<ErrorCode::numeric>([&] { t.step(batch(10)); }, {"Trainer", "theta, ", "[", "learning rate"});
  CHECK(same_state(t.state(), before));
}

TEST_CASE("no numbers of an optimizer leave a state that is not finite") {
  auto const nan = std::nan("");
  auto const infinity = std::numeric_limits<double>::infinity();
  auto rejected = 0, done = 0;
  for (auto const& step :
       {MomentStep{0.9, 0.999, nan, 1e-8, true}, MomentStep{0.9, 0.999, infinity, 1e-8, true},
        MomentStep{nan, 0.999, 1e-3, 1e-8, true}, MomentStep{0.9, infinity, 1e-3, 1e-8, true},
        MomentStep{0.9, -1e3, 1e-3, 1e-8, true}, MomentStep{0.9, 0.999, 1e-3, 0, true},
        MomentStep{0.9, 0.999, 1e-3, 1e-60, true}, MomentStep{0.9, 0.999, 1e-3, nan, true},
        MomentStep{1e30, 0.999, 1e20, 1e-8, false}, MomentStep{0.9, 0.999, 1e39, 1e-8, false}}) {
    auto t = trainer(Stated{step});
    t.resume(warm());
    auto const before = t.state();
    check_fails<ErrorCode::numeric>([&] { t.step(batch(10)); }, {"Trainer", "found"});
    CHECK(same_state(t.state(), before));
    ++rejected;
  }
  // Strange, but finite: tried on a copy, then done.
  for (auto const& step :
       {MomentStep{0.9, 0.999, 1e-3, 1e-39, false}, MomentStep{1.5, 0.999, 1e-3, 1e-8, true},
        MomentStep{0.9, 0.999, 1e32, 1e-8, false}, MomentStep{0.9, 0.999, -1e-3, 1e-8, true}}) {
    auto t = trainer(Stated{step});
    t.resume(warm());
    CHECK(t.step(batch(10)).step == 11);
    CHECK(all_finite(t.state()));
    ++done;
  }
  CHECK(rejected == 10);
  CHECK(done == 4);
}

TEST_CASE("an update that is tried on a copy first has the bits of one that is not") {
  auto tried = trainer();
  tried.resume(warm());
  auto plain = trainer();
  plain.resume(warm());
  auto heavy = plain.state();
  heavy.averaged.flat().mutable_data()[0] = largest_float / 2;  // more than the bound: nothing else changes
  tried.resume(heavy);
  for (Index k = 10; k < 13; ++k) {
    tried.step(batch(k));
    plain.step(batch(k));
  }
  CHECK(same_bits(tried.theta().flat(), plain.theta().flat()));
  CHECK(same_bits(tried.state().at("second_moment").flat(), plain.state().at("second_moment").flat()));
  CHECK(same_bits(tried.state().target->flat(), plain.state().target->flat()));
}

TEST_CASE("the bounds hold for every number of a run, and a run never leaves them") {
  auto t = trainer(Adam{.learning_rate = 1e-2});
  auto bounds = measured(t.state(), "");
  for (Index k = 0; k < 200; ++k) {
    auto const norm = t.step(batch(k)).gradient_norm;
    auto const next = bounds.after<float>(Adam{.learning_rate = 1e-2}.at(k + 1), norm * (1 + 1e-6));
    REQUIRE(next.has_value());
    auto const found = measured(t.state(), "");
    CHECK(found.theta <= next->theta);
    CHECK(found.averages <= next->averages);
    CHECK(found.first <= next->first);
    CHECK(found.second <= next->second);
    bounds = *next;
  }
}

TEST_CASE("a stage that cannot begin leaves moments and average of the last one") {
  auto const D = Denoiser{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};
  auto t = Trainer{ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 4, .stage_steps = 3}},
                   Adam{.schedule = {.warmup = 0}}, D.initialize({1})};
  for (Index k = 0; k < 3; ++k) t.step(batch(k));
  auto const before = t.state();
  auto broken = Trainer{t.method(), Adam{.learning_rate = 1e300}, t.theta()};
  broken.resume(before);
  check_fails<ErrorCode::numeric>([&] { broken.step(batch(3)); }, {"theta, "});
  CHECK(same_state(broken.state(), before));
  t.step(batch(3));  // where it can, it does
  CHECK_FALSE(same_state(t.state(), before));
}

TEST_CASE("a state of another network is rejected arena by arena, and the trainer is as before") {
  auto t = trainer();
  t.resume(warm());
  auto const before = t.state();
  auto const other = network(12).initialize({2});
  auto const check = [&](auto const& change, std::string_view name) {
    auto state = before;
    change(state);
    check_fails<ErrorCode::config>([&] { t.resume(state); }, {"Trainer", name, "numbers", "same network"});
    CHECK(same_state(t.state(), before));
  };
  check([&](auto& s) { s.theta = other; }, "theta");
  check([&](auto& s) { s.target = other; }, "target");
  check([&](auto& s) { s.averaged = other; }, "averaged");
  check([&](auto& s) { s.at("first_moment") = other; }, "first_moment");
  check([&](auto& s) { s.at("second_moment") = other; }, "second_moment");
  check([&](auto& s) { s.at("second_moment").flat() = X{Shape{16}, 0.0F}; }, "second_moment");
  auto wide = trainer(RAdam{}, {}, 24);
  check_fails<ErrorCode::config>([&] { wide.resume(before); }, {"Trainer", "theta"});
  wide.step(batch(0));
}

TEST_CASE(
    "a state with a number that is not finite is rejected with arena and parameter, the trainer as before") {
  auto t = trainer();
  t.resume(warm());
  auto const before = t.state();
  auto const& entries = before.theta.table().entries();
  for (auto const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity()})
    for (auto const* entry : {&entries.front(), &entries[entries.size() / 2], &entries.back()}) {
      auto const at = entry->offset + entry->shape.count() - 1;
      auto const name = entry->name + "[" + number_text(entry->shape.count() - 1) + "]";
      auto const check = [&](auto const& arena, std::string_view which) {
        auto state = before;
        arena(state).flat().mutable_data()[at] = bad;
        check_fails<ErrorCode::numeric>([&] { t.resume(state); }, {"Trainer", which, name, number_text(bad)});
        CHECK(same_state(t.state(), before));
      };
      check([](auto& s) -> auto& { return s.theta; }, "theta");
      check([](auto& s) -> auto& { return *s.target; }, "target");
      check([](auto& s) -> auto& { return s.averaged; }, "averaged");
      check([](auto& s) -> auto& { return s.at("first_moment"); }, "first_moment");
      check([](auto& s) -> auto& { return s.at("second_moment"); }, "second_moment");
    }
  auto state = before;
  state.at("second_moment").flat().mutable_data()[5] = -1e-9F;
  check_fails<ErrorCode::numeric>([&] { t.resume(state); }, {"second_moment", "[5]", "-1e-09", "at least 0"});
  CHECK(same_state(t.state(), before));

  auto theta = before.theta;
  theta.flat().mutable_data()[0] = std::nanf("");
  check_fails<ErrorCode::numeric>([&] { Trainer(t.method(), RAdam{}, theta); }, {"theta", "[0]", "nan"});
}

TEST_CASE("numbers of a state that are finite but enormous are taken up, and the next step is guarded") {
  for (auto const huge : {1e30F, largest_float}) {
    auto t = trainer();
    t.resume(warm());
    auto state = t.state();
    state.at("first_moment").flat().mutable_data()[0] = huge;
    state.at("second_moment").flat().mutable_data()[3] = huge;
    t.resume(state);
    try {
      t.step(batch(10));
      CHECK(all_finite(t.state()));
    } catch (numeric_error const&) {
      CHECK(same_state(t.state(), state));
    }
  }
}

TEST_CASE("a step that random numbers do not count is rejected, and the trainer is as before") {
  auto t = trainer();
  t.resume(warm());
  auto const before = t.state();
  for (auto const step : {Index{-1}, Index{1} << 32U, std::numeric_limits<Index>::max()}) {
    auto state = before;
    state.step = step;
    check_fails<ErrorCode::config>([&] { t.resume(state); }, {"Trainer", "steps done", number_text(step)});
    CHECK(same_state(t.state(), before));
    check_fails<ErrorCode::config>([&] { t.method().draw(batch(0), step, Key{}); },
                                   {"step k", number_text(step)});
  }
  check_fails<ErrorCode::config>([&] { t.method().draw(batch(0), 0, Key{}, 0xfffffff8U); },
                                 {"samples", "16 from 4294967288 on"});
  CHECK(t.method().draw(batch(0), 0, Key{}, 0xfffffff0U).z.count() == 32);
}

TEST_CASE("times that the numbers of training do not tell apart are rejected with the sample") {
  struct Near {
    TimePair draw(VarianceExploding const&, Index, Key, Counter at) const {
      return {1 + (at.sample == 3 ? 1e-9 : 1e-3), 1};
    }
    double resolution(Index) const { return 0; }
  };
  auto const f = network();
  auto t = Trainer{ConsistencyTraining{.f = f, .metric = PseudoHuber{}, .times = Near{}}, RAdam{},
                   f.initialize({1})};
  check_fails<ErrorCode::config>([&] { t.step(batch(0)); },
                                 {"step 0", "sample 3", "1.000000001 and 1", "t > r"});
  auto const in_double = Tensor<double>{Shape{16, 2}, 0.5};
  CHECK(t.method().draw(in_double, 0, Key{}).times[0][3] == 1 + 1e-9);  // double tells them apart
}

TEST_CASE("a method's rate outside its range is rejected before anything changes") {
  auto const f = network();
  auto wrong = Trainer{ConsistencyTraining{.f = f,
                                           .metric = PseudoHuber{},
                                           .times = GridTimes<>{},
                                           .weighting = UniformWeighting{},
                                           .target = Above{}},
                       RAdam{}, f.initialize({1})};
  auto const before = wrong.state();
  check_fails<ErrorCode::config>([&] { wrong.step(batch(0)); }, {"rate(k) of the method", "1.5"});
  CHECK(same_state(wrong.state(), before));
}
