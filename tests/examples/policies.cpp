// SPDX-License-Identifier: MIT
// bench/policies: what is combined, and the page of what became of it.

#include <cmath>
#include <string>
#include <tuple>

#include "../../bench/policies/page.hpp"
#include "../../bench/policies/quality.hpp"
#include "../../bench/policies/slice.hpp"
#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency::test;
using namespace consistency;
using namespace policies;

namespace {

/// A metric of one's own.
struct Cubic {
  auto operator()(Operand auto const& x, Operand auto const& y) const {
    return mean_per_sample(square(x - y) * abs(x - y));
  }
};

auto few() {
  return Slice{.name = "few",
               .methods = axis(Named{"ct", Training{}}),
               .metrics = axis(Named{"cubic", Cubic{}}),  // one's own, in one line
               .targets = axis(Named{"stop", StopGradientTarget{}}, Named{"student", StudentTarget{}},
                               Named{"ema", EmaTarget{.mu = 0.9}})};
}

QualityOptions options(TempFolder const& folder) {
  return {
      .plan = {.data = "mixture", .batch = 16, .width = 8, .teacher_steps = 3, .steps = 4, .seconds = 1e-3},
      .images = "",
      .seeds = 1,
      .filter = "ct",
      .out = folder / "out",
      .quiet = true};
}

template <class... P>
constexpr bool fits = Fits<P...>::value;
using Exploding = VarianceExploding;

}  // namespace

// What does not fit is left out: a target with a gradient in discrete methods, …
static_assert(fits<Training, Exploding, Usual, L1, Usual, AnyTimes, EmaTarget, Adam>);
static_assert(!fits<Training, Exploding, Usual, L1, Usual, AnyTimes, StudentTarget, Adam>);
// … a solver without a teacher, …
static_assert(fits<Distillation, Exploding, Usual, L2, Heun, Usual, Usual, Usual>);
static_assert(!fits<Training, Exploding, Usual, L2, Heun, Usual, Usual, Usual>);
// … a norm in Theorems 5 and 6, but not in 4, …
static_assert(!fits<ContinuousTraining, Exploding, Usual, L1, Usual, Usual, Usual, Usual>);
static_assert(!fits<ContinuousDistillation, Exploding, Usual, L1, Usual, Usual, Usual, Usual>);
static_assert(fits<ContinuousDistillation, Exploding, Usual, L1, Usual, Usual, StudentTarget, Usual>);
static_assert(!fits<ContinuousDistillation, Exploding, Usual, Cubic, Usual, Usual, StudentTarget, Usual>);
// … pairs of times in methods of one time, and the other way round, …
static_assert(!fits<ContinuousTraining, Exploding, Usual, L2, Usual, AnyTimes, Usual, Usual>);
static_assert(!fits<Training, Exploding, Usual, L2, Usual, UniformDistribution, Usual, Usual>);
// … a parameterization of another process, …
static_assert(fits<Training, LinearPath, VelocityPreconditioning, L2, Usual, Usual, Usual, Usual>);
static_assert(!fits<Training, LinearPath, EdmPreconditioning, L2, Usual, Usual, Usual, Usual>);
// … weights of another process.
static_assert(!fits<Denoising, LinearPath, Usual, L2, Usual, Usual, Usual, Usual>);
static_assert(fits<Flow, LinearPath, Usual, L2, Usual, Usual, Usual, Usual>);

TEST_CASE("a slice says at compile time how many combinations fit, and has as many") {
  static_assert(decltype(few())::count == 2 && decltype(few())::product == 3);
  auto const combinations = few().combinations();
  REQUIRE(combinations.size() == 2);
  CHECK(combinations[0].name() == "few/ct+cubic+stop");
  CHECK(combinations[1].name() == "few/ct+cubic+ema");
}

TEST_CASE("of a product of six axes a known part fits") {
  using Product = decltype(Slice{.name = "product",
                                 .methods = axes::methods(),
                                 .processes = axes::processes(),
                                 .parameterizations = axes::parameterizations(),
                                 .metrics = axes::metrics(),
                                 .solvers = axes::solvers(),
                                 .targets = axes::targets()});
  static_assert(Product::product == 7 * 3 * 3 * 4 * 4 * 4);
  // CD alone takes a solver: 3 processes, each with its parameterization, 4 metrics, 4 solvers, 3 targets
  static_assert(Product::count == 3 * 4 * 4 * 3);
}

TEST_CASE("times of any kind draw what their own policy draws, for the steps that are planned") {
  auto const own = GridTimes<AdaptiveSteps>{{.s0 = 2, .s1 = 20, .K = 100}};
  auto const any = AnyTimes{GridTimes<AdaptiveSteps>{{.s0 = 2, .s1 = 20}}}.during(100);
  auto const process = VarianceExploding{};
  for (Index k : {0, 10, 60, 100}) {
    auto const expected = own.draw(process, k, Key{3}, {0, 7}), drawn = any.draw(process, k, Key{3}, {0, 7});
    CHECK(any.resolution(k) == own.resolution(k));
    CHECK(drawn.t == expected.t);
    CHECK(drawn.r == expected.r);
  }
  CHECK(planned(GapTimes{.stages = 4}, 100).stage_steps == 25);
  CHECK(planned(ProgressiveTimes{.start = 16}, 100).stage_steps == 20);
}

TEST_CASE("combinations are trained under both budgets, once, and become a page that loads nothing") {
  TempFolder const folder;
  auto const combinations = few().combinations();
  auto quality = Quality{options(folder)};
  CHECK(quality.run(combinations));
  auto const& outcomes = quality.results().outcomes;
  REQUIRE(outcomes.size() == 4);
  for (auto const& one : outcomes) {
    CHECK(one.stopped.empty());
    CHECK(one.evaluations == std::vector<Index>{1, 2, 4, 8, 16});
    CHECK(one.quality.size() == 5);
    CHECK(one.divergence.size() == 5);  // points of a plane
    CHECK(one.floor.empty());
    CHECK(one.loss > 0);
    CHECK(one.at.back() == one.steps);
    if (one.budget == "steps") CHECK(one.steps == 4);
    if (one.budget == "seconds") CHECK(one.seconds >= 1e-3);
  }

  CHECK(read_png(folder / "out" / "points" / "few-ct+cubic+stop.png").height == 5 * 160);

  auto const html = Page{quality.results()}.html();
  for (auto const* const part : {"few</span> ct+cubic+stop", "ct+cubic+ema", "Equal time", "<svg", "</html>"})
    CHECK(html.find(part) != std::string::npos);
  for (auto const* const link : {"http", "src=", "@import", "url("})
    CHECK(html.find(link) == std::string::npos);

  auto again = Quality{options(folder)};  // finds the four, and trains none
  CHECK(again.run(combinations));
  REQUIRE(again.results().outcomes.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(again.results().outcomes[i].seconds == outcomes[i].seconds);

  auto other = options(folder);
  other.plan.steps = 5;
  check_fails<ErrorCode::mismatch>([&] { Quality{other}; }, {"plan of the outcomes", "another --out"});
}

TEST_CASE(
    "on the diagonal the loss of the exact flow map is the variance of the velocity, for every method") {
  auto const network = Mlp{{.dimensions = 2, .width = 8}};
  auto const D = Denoiser{network};
  auto const theta = D.initialize(Key{1});
  auto const room = Classroom{network, D, theta, theta, map_of(network).initialize(Key{1}), 1};
  auto const x0 = MixtureBatches{64, Key{2}}(0);
  auto const times = PairTimes<>{.diagonal = 1};
  auto const mean_flow = MeanFlow{.f = room.map(), .metric = L2{}, .times = times};
  auto const expected = loss_floor(mean_flow, room, x0);
  CHECK(expected > 0);
  auto const psd = ProgressiveSelfDistillation{.f = room.map(), .times = times};
  CHECK(std::abs(loss_floor(psd, room, x0) - expected) < 1e-4 * expected);
  auto const improved = ImprovedMeanFlow{.f = room.map(), .metric = L2{}, .times = times};
  CHECK(std::abs(loss_floor(improved, room, x0) - expected) < 1e-4 * expected);
  auto const drawn = mean_flow.draw(x0, 0, Key{12});
  auto const& t = drawn.times[0];
  Tensor<float> const x_t = LinearPath{}.point(x0, drawn.z, t);
  Tensor<float> const v = TeacherFlow{room}.velocity(x_t, t);
  CHECK(std::abs(evaluated(mean(square(drawn.z - x0 - v)))[0] - expected) < 1e-4 * expected);
  CHECK(std::isnan(loss_floor(SoFlow{.f = room.map()}, room, x0)));
}

TEST_CASE("a training that diverges is said to have stopped, and the page goes on without its numbers") {
  auto results = Results{};
  auto good = Outcome{"slice/a+b", "steps",          0,  10, 1,  {5, 10}, {0.5, 0.25},
                      {1, 2, 4},   {0.25, 0.2, 0.1}, {}, 0,  {}, ""};
  auto bad = good;
  bad.name = "slice/a+c";
  bad.curve = {0.5};
  bad.at = {5};
  bad.quality = {};
  bad.stopped = "loss <inf> & more";
  results.outcomes = {good, bad};
  auto const html = Page{results}.html();
  CHECK(html.find("loss &lt;inf&gt; &amp; more") != std::string::npos);
  CHECK(html.find("class=\"none\">stopped") != std::string::npos);
  CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("results that no training can have written are rejected") {
  TempFolder const folder;
  auto results = Results{};
  results.outcomes = {{"slice/a", "steps", 0, 10, 1, {10}, {0.5}, {1}, {0.5}, {}, 0, {}, ""}};
  auto const file = folder / "results.json";
  results.save(file);
  CHECK(Results::load(file).outcomes.size() == 1);
  results.outcomes[0].at = {5, 10};
  results.save(file);
  check_fails<ErrorCode::format>([&] { Results::load(file); }, {"results of trainings"});
  write_file_atomically(file, text_bytes("{\"\xff\x1b\": 1"));
  check_fails<ErrorCode::format>([&] { Results::load(file); }, {"results of trainings"});
}

TEST_CASE("the median is the middle, or the mean of the middle two") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  CHECK(std::isnan(median({})));
}
