// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <doctest/doctest.h>

#include <consistency/metric/l2.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/parameterization/trigonometric_preconditioning.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/flow_matching.hpp>
#include <consistency/training/trainer.hpp>

#include "exact_on_process.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

void near(double found, double expected, double tolerance = 1e-10) {
  CHECK(std::abs(found - expected) <= tolerance * std::fmax(std::abs(expected), 1e-3));
}

}  // namespace

TEST_CASE("the linear path of Gaussian data has the velocities and the flow of the closed form") {
  struct Row {
    double x, t, r, v, flow;
  };
  auto const exact = Exact{bell, LinearPath{.epsilon = 0}};
  for (auto const& [x, t, r, v, flow] : {Row{1, 1, 0, .7, .8},
                                         {1, 1, .5, .7, .7090169943749475},
                                         {-1.5, 1, .125, -1.8, -.4200103021200486},
                                         {-.7, .8, .2, -1.1769230769230767, -.1815721491311741},
                                         {.9, .5, .25, .6, .8296693311223913},
                                         {2, .9, .899, 1.8215384615384613, 1.9981788349583223},
                                         {0, .3, 0, -.4235294117647059, .0722230192904110}}) {
    CAPTURE(x);
    near(exact.velocity(x, t), v);
    near(exact.transported(x, t, r), flow);
    near(exact.solved(Heun{}, x, t, r > 0 ? r : 1e-12, 20000), flow, 1e-8);
  }
}

TEST_CASE("the trigonometric process of Gaussian data has the velocities and the flow of the closed form") {
  struct Row {
    double s, x, t, f, F, v;
  };
  for (auto const& [s, x, t, f, F, v] :
       {Row{.5, .5, 1.5645464081731977, .7981250366200209, -1.5900312496948301, -.2999941407966558},
        {.5, .5, 1.1, .6639211635723268, -.9809683412610171, -.2673622080184306},
        {.5, -.4, .7, -.3294526561853466, .0730056989660852, -.1932653061713073},
        {.2, .5, 1.1, .4600552017184226, -.5234632285567175, -.1179659657157686},
        {.2, -.4, .7, -.0530441276846611, -.785115814852897, -.7054878590044921},
        {.2, .9, .2, .851526034633231, .307383986261916, .4535197856338087},
        {.2, 0, .0039999786668715, 1.499887509381903e-05, -.0074994975421699, -.0074993100687531}}) {
    CAPTURE(x);
    auto const exact = Exact{GaussianData{{.m = .3, .s = s}}, Trigonometric{.epsilon = 0}};
    near(exact.velocity(x, t), v);
    near(exact.transported(x, t, 0), f);
    auto const scaling = TrigonometricPreconditioning{};
    T const at{Shape{1, 1}, t};
    T const made = x * scaling.c_skip(at, 0) + F * scaling.c_out(at, 0);  // (1, 1)
    near(made[0], f);
    near(exact.solved(Heun{}, x, t, 1e-9, 20000), f, 1e-7);
  }
}

TEST_CASE("the variance-exploding process of Gaussian data has the flow of the closed form") {
  auto const exact = Exact{bell, VarianceExploding{}};
  near(exact.transported(80, 80, .002), .7981192561873446);
  near(exact.transported(10, 10, 1), 1.3831398893726168);
  near(exact.transported(1, 1, .002), .6130520212360878);
  near(exact.transported(2, 2.5, .821), .9409702369185207);
  near(exact.transported(-.4, .5, .1), -.2047771785649585);
  near(exact.transported(.9, .1, .002), .8883531121829684);
}

TEST_CASE("a mixture's flow is its monotone rearrangement, on every process") {
  auto const exploding = Exact{two, VarianceExploding{}};
  struct Row {
    double x, t, f, D;
  };
  for (auto const& [x, t, f, D] : {Row{0, 80, .8851238373398820, .3999975000156249},
                                   {40, 80, 1.0285214297441437, .4054842727885994},
                                   {-30, 80, .7110304519719483, .3958651828098604},
                                   {.5, 1, .8844226757636242, .7100407200478202},
                                   {-.2, .5, -.646381803335538, -.2516420165060748},
                                   {.05, .3, .4594516760461414, .4782834553288831},
                                   {2.5, 3, 1.0710024128307813, .6128803867144314}}) {
    CAPTURE(x);
    near(exploding.transported(x, t, .002), f);
    near(two.denoised(x, t), D);
    near(exploding.velocity(x, t), (x - D) / t);
  }

  auto const linear = Exact{two, LinearPath{.epsilon = 0}};
  struct Between {
    double x, t, r, flow, v;
  };
  for (auto const& [x, t, r, flow, v] : {Between{0, 1, 0, .8868102356134274, -.4},
                                         {.5, 1, 0, 1.0298045136461486, .1},
                                         {-1, 1, .5, -.528337360401052, -1.4},
                                         {.1, .6, .2, .6043649964973578, -.6389735456262134},
                                         {1.2, .8, .3, 1.0837689221067508, .6549168336537099}}) {
    CAPTURE(x);
    near(linear.transported(x, t, r), flow);
    near(linear.velocity(x, t), v);
  }

  auto const trigonometric = Exact{two, Trigonometric{.epsilon = 0}};
  near(trigonometric.transported(0, std::numbers::pi / 2, 0), .8868102356134274);
  near(trigonometric.transported(.4, std::numbers::pi / 2, 0), 1.1033584648537);
  near(trigonometric.transported(.3, 1.1, 0), .9212494039528376);
  near(trigonometric.transported(-.1, .6, 0), -.5167514200051461);
  near(trigonometric.transported(.8, .3, 0), .8713762521091395);
}

TEST_CASE("log-normal noise levels are logit-normal times of the linear path") {
  auto const path = LinearPath{};
  auto const law = LogNormalDistribution{.mean = -.4, .deviation = 1};
  near(path.time(std::exp(-2.0 - 2 * 1)), .0179862099620916);
  near(path.time(std::exp(-2.0 + 2 * 1.5)), .7310585786300049);
  constexpr Index draws = 20000;
  struct Row {
    double normal, t;
  };
  for (auto const& [normal, t] :
       {Row{-1, .1978161114414183}, {0, .401312339887548}, {1.5, .7502601055951177}}) {
    near(path.time(std::exp(law.mean + law.deviation * normal)), t);
    Index below = 0;
    for (Index i = 0; i < draws; ++i)
      if (law.time(path, {7}, {0, static_cast<std::uint32_t>(i)}) <= t) ++below;
    auto const p = std::erfc(-normal / std::numbers::sqrt2) / 2;
    CHECK(std::abs(static_cast<double>(below) / draws - p) < 4.5 * std::sqrt(p * (1 - p) / draws));
  }
}

TEST_CASE_TEMPLATE("on every process solvers follow the flow with the error of their order", Solver, Euler,
                   Ddim, Heun, Dpm2) {
  auto const check = [](auto const& exact, double t, double r) {
    auto const expected = exact.transported(.4, t, r);
    auto const error = [&](Index n) { return std::abs(exact.solved(Solver{}, .4, t, r, n) - expected); };
    CHECK(std::log2(error(400) / error(800)) == doctest::Approx(Solver::order).epsilon(0.06));
  };
  check(Exact{two, VarianceExploding{}}, 2, .4);
  check(Exact{two, LinearPath{}}, .8, .3);
  check(Exact{two, Trigonometric{}}, 1.2, .5);
}

TEST_CASE("a teacher of one process and students of the others meet one exact function") {
  // The teacher's velocity, as the student sees it, is that of the exact denoiser on the student's own
  // process.
  auto const teacher = TeacherVelocity{Exact{two, VarianceExploding{}}, 0};
  auto const back = TeacherVelocity{Exact{two, Trigonometric{.epsilon = 1e-4}}, 0};
  auto const meets = [](auto const& source, auto const& process) {
    T x{Shape{21, 1}}, t{Shape{21, 1}};
    for (Index i = 0; i < 21; ++i) {
      x.mutable_data()[i] = -2 + .2 * static_cast<double>(i);
      t.mutable_data()[i] = process.time(.01 * std::pow(20 / .01, static_cast<double>(i) / 20));
    }
    auto const expected = mapped(x, t, [&](double a, double time) {
      return Exact{two, process}.velocity(a, time);
    });
    T const found = source.given(process, Batch<T>{x})(x, t);
    CHECK(distance(found, expected) <= 1e-11 * std::fmax(1.0, magnitude(expected)));
  };
  meets(teacher, VarianceExploding{});
  meets(teacher, LinearPath{});
  meets(teacher, Trigonometric{});
  meets(back, VarianceExploding{});
  meets(back, LinearPath{});
}

namespace {

Mlp const net{{.dimensions = 1, .width = 48, .layers = 2, .embedding = 16, .time = {.scale = 1}}};

Tensor<float> batch(Index k) {
  return .3 + .5 * normal<float>({256, 1}, {5}, {static_cast<std::uint32_t>(k), 0});
}
auto fit(auto const& method, Parameters<Tensor<float>> const& start) {
  constexpr Index steps = 1500;
  auto trainer =
      Trainer{method,
              Adam{.learning_rate = 3e-3, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
              start,
              {.ema = 0.99, .clip = 1}};
  trainer.run(batch, steps, [](StepReport const&) { return true; });
  return trainer.averaged();
}
/// Mean and deviation of the flow's start, drawn in one step, against N(0.3, 0.5²).
void draws_the_data(Tensor<float> const& x, double tolerance) {
  auto const m = static_cast<double>(mean(x)[0]);
  auto const s = std::sqrt(static_cast<double>(mean(square(x - m))[0]));
  CHECK(std::abs(m - .3) < tolerance);
  CHECK(std::abs(s - .5) < tolerance);
}

}  // namespace

TEST_CASE_TEMPLATE("on every process a denoiser is trained, distilled, and trained without a teacher",
                   Process, VarianceExploding, LinearPath, Trigonometric) {
  auto const process = Process{};
  auto const D = Denoiser{net, parameterization_of(process), process};
  auto const f = ConsistencyFunction{net, parameterization_of(process), process};
  auto const settings = SampleSettings{.seed = 1, .count = 4000, .batch = 4000};
  auto const phi = [&] {
    if constexpr (std::same_as<Process, VarianceExploding>) {
      return fit(DenoiserTraining{.f = D}, D.initialize({1}));
    } else {
      return fit(FlowMatching{.f = D, .distribution = {-.5, 1.4}}, D.initialize({1}));
    }
  }();
  draws_the_data(sample(D, phi, OdeSampler<Heun>{}, settings), .06);
  auto const student = fit(ConsistencyDistillation{.f = f, .velocity = TeacherVelocity{D, phi}}, phi);
  draws_the_data(sample(f, student, OneStep{}, settings), .08);
  auto const alone =
      fit(ConsistencyTraining{.f = f, .metric = L2{}, .times = GridTimes<FixedSteps>{}}, f.initialize({2}));
  draws_the_data(sample(f, alone, OneStep{}, settings), .1);
}
