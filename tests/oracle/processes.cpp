// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/metric/l2.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/flow_matching.hpp>
#include <consistency/training/trainer.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

// Flows that are known in closed form, of all three processes. With x_t = α (x₀ + σ z) they are the flow
// under noise x₀ + σ z in x_t / α and σ; the numbers were computed by the formulas of each process, to 16
// digits.
namespace {

/// The exact denoiser of data on a process.
template <class Data, class Process>
struct Exact {
  Data data;
  Process own;

  Process process() const { return own; }
  T operator()(auto const&, T const& x, T const& t) const { return (*this)(x, t); }
  T operator()(T const& x, T const& t) const {
    return mapped(x, t, [&](double a, double time) {
      auto const scale = own.scale(time);
      return scale == 0 ? data.mean() : data.denoised(a / scale, own.sigma(time));
    });
  }
  /// X_{t→r}(x)
  double transported(double x, double t, double r) const {
    auto const from = own.scale(t), to = own.scale(r);
    return to * data.transported(x / from, own.sigma(t), own.sigma(r));
  }
  double velocity(double x, double t) const {
    T const at{Shape{1, 1}, x}, when{Shape{1, 1}, t};
    T const v = own.velocity(at, (*this)(at, when), when);
    return v[0];
  }
  /// Solver's path from t to r in n even steps.
  template <class Solver>
  double solved(Solver solver, double x, double t, double r, Index n) const {
    auto const velocity_of = DenoiserVelocity{own, *this};
    T at{Shape{1, 1}, x};
    for (Index i = 0; i < n; ++i) {
      auto const time = [&](Index j) {
        return T(Shape{1, 1}, t + (r - t) * static_cast<double>(j) / static_cast<double>(n));
      };
      at = solver.step(velocity_of, at, time(i), time(i + 1));
    }
    return at[0];
  }
};

struct GaussianData : Gaussian {
  double mean() const { return m; }
};

auto const bell = GaussianData{{.m = .3, .s = .5}};
auto const two = Mixture{.w = {.3, .7}, .m = {-1, 1}, .s = {.2, .2}};

void near(double found, double expected, double tolerance = 1e-10) {
  CHECK(std::abs(found - expected) <= tolerance * std::fmax(std::abs(expected), 1e-3));
}

}  // namespace

TEST_CASE("the linear path of Gaussian data has the velocities and the flow of the closed form") {
  struct Row {
    double x, t, r, v, flow;
  };
  auto const exact = Exact{bell, LinearPath{.epsilon = 0}};
  for (auto const& [x, t, r, v, flow] : {Row{-.7, .8, .2, -1.1769230769230767, -.1815721491311741},
                                         {.9, .5, .25, .6, .8296693311223913},
                                         {2, .9, .899, 1.8215384615384613, 1.9981788349583223},
                                         {0, .3, 0, -.4235294117647059, .0722230192904110}}) {
    CAPTURE(x);
    near(exact.velocity(x, t), v);
    near(exact.transported(x, t, r), flow);
    near(exact.solved(Heun{}, x, t, r > 0 ? r : 1e-12, 20000), flow, 1e-8);
  }
  near(exact.velocity(1, 1), .7);  // pure noise: the velocity is the mean of data away
}

TEST_CASE("the trigonometric process of Gaussian data has the velocities and the flow of the closed form") {
  struct Row {
    double s, x, t, f, v;
  };
  for (auto const& [s, x, t, f, v] : {Row{.5, .5, 1.1, .6639211635723268, -.2673622080184306},
                                      {.5, -.4, .7, -.3294526561853466, -.1932653061713073},
                                      {.2, .5, 1.1, .4600552017184226, -.1179659657157686},
                                      {.2, -.4, .7, -.0530441276846611, -.7054878590044921},
                                      {.2, .9, .2, .851526034633231, .4535197856338087}}) {
    CAPTURE(x);
    auto const exact = Exact{GaussianData{{.m = .3, .s = s}}, Trigonometric{.epsilon = 0}};
    near(exact.velocity(x, t), v);
    near(exact.transported(x, t, 0), f);
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
  near(exploding.transported(0, 80, .002), .8851238373398820);
  near(exploding.transported(40, 80, .002), 1.0285214297441437);
  near(exploding.transported(.5, 1, .002), .8844226757636242);
  near(exploding.transported(-.2, .5, .002), -.646381803335538);
  near(exploding.transported(2.5, 3, .002), 1.0710024128307813);
  near(two.denoised(-30, 80), .3958651828098604);
  near(two.denoised(.05, .3), .4782834553288831);

  auto const linear = Exact{two, LinearPath{.epsilon = 0}};
  near(linear.transported(.1, .6, .2), .6043649964973578);
  near(linear.velocity(.1, .6), -.6389735456262134);
  near(linear.transported(1.2, .8, .3), 1.0837689221067508);
  near(linear.velocity(1.2, .8), .6549168336537099);

  auto const trigonometric = Exact{two, Trigonometric{.epsilon = 0}};
  near(trigonometric.transported(.3, 1.1, 0), .9212494039528376);
  near(trigonometric.transported(-.1, .6, 0), -.5167514200051461);
  near(trigonometric.transported(.8, .3, 0), .8713762521091395);
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
