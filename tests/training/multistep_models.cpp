// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/training/multistep_consistency_model.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

#include "../oracle/exact_on_process.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// The denoiser whose DDIM step from any time ends where the flow does at the end of its segment, from the
/// formulas of the two processes.
template <class Process>
struct ExactSegments {
  Process own;
  Index segments;

  Process const& process() const { return own; }
  double end(double t) const {
    auto const grid = grid_of(own);
    auto n = segments;
    while (!(grid(n, segments + 1) < t * (1 - 1e-12))) --n;
    return grid(n, segments + 1);
  }
  T operator()(auto const&, T const& x, T const& time, Mode const& = {}) const {
    auto const flow = Exact<GaussianData, Process>{bell, own};
    return mapped(x, time, [&](double a, double t) {
      if (t <= own.epsilon) return 0.0;  // where nothing is left to step
      auto const r = end(t), there = flow.transported(a, t, r);
      if constexpr (Process::straight)
        return (there - r / t * a) / (1 - r / t);
      else
        return (there * std::sin(t) - std::sin(r) * a) / std::sin(t - r);
    });
  }
};

/// The flow itself in the place of a solver.
template <class Process>
struct ExactStep {
  static constexpr int order = 99;
  Process own;

  template <class X>
  X step(auto const&, X const& x, X const& t, X const& s) const {
    auto const flow = Exact<GaussianData, Process>{bell, own};
    X y{x.shape()};
    for (Index i = 0; i < x.count(); ++i)
      y.mutable_data()[i] = static_cast<typename X::Scalar>(
          flow.transported(static_cast<double>(x[i]), static_cast<double>(t[i]), static_cast<double>(s[i])));
    return y;
  }
};

auto const path = LinearPath{};

/// The exact denoiser of the mixture.
struct MixtureDenoiser {
  LinearPath process() const { return path; }
  Tensor<float> operator()(auto const&, Tensor<float> const& x, Tensor<float> const& t) const {
    Tensor<float> D{x.shape()};
    for (Index i = 0; i < x.count(); ++i) {
      auto const time = static_cast<double>(t[i]), scale = path.scale(time);
      D.mutable_data()[i] = static_cast<float>(
          scale == 0 ? two.mean() : two.denoised(static_cast<double>(x[i]) / scale, path.sigma(time)));
    }
    return D;
  }
};

auto const none = Parameters<T>{ParameterTable{}};

/// The loss of exact segments after exact steps, and the loss where the segments are too few.
template <class Process>
std::array<double, 2> losses(Process const& own) {
  std::array<double, 2> found{};
  for (Index const segments : {4, 2}) {
    using Segments = ExactSegments<Process>;
    auto const method = MultistepConsistencyModel<Segments, DataVelocity, ExactStep<Process>, L2,
                                                  SegmentTimes<FixedSteps>, UniformWeighting>{
        .f = Segments{own, segments}, .solver = {own}, .times = {4, {.N = 41}}, .weighting = {}};
    method.check();
    auto const x0 = T{0.3 + 0.5 * normal<double>({256, 1}, Key{3})};
    T const loss = method.loss(none, none, Batch<T>{x0}, method.draw(x0, 0, Key{4}));
    found[segments == 2] = loss[0];
  }
  return found;
}

}  // namespace

TEST_CASE("exact segments have no loss on any process, and longer ones have") {
  auto const [exploding, too_long] = losses(VarianceExploding{});
  CHECK(exploding < 1e-18);
  CHECK(too_long > 1e-4);
  auto const [turned, also_too_long] = losses(Trigonometric{});
  CHECK(turned < 1e-18);
  CHECK(also_too_long > 1e-4);
}

TEST_CASE("with a solver the loss of exact segments is the square of its local error") {
  auto const own = VarianceExploding{};
  auto const teacher = TeacherVelocity{Exact<GaussianData, VarianceExploding>{bell, own}, 0};
  auto const method = MultistepConsistencyModel{.f = ExactSegments<VarianceExploding>{own, 1},
                                                .velocity = teacher,
                                                .metric = L2{},
                                                .weighting = UniformWeighting{}};
  T const t{Shape{3, 1}, 1.5}, r{Shape{3, 1}, own.epsilon}, x0 = normal<double>({3, 1}, Key{5});
  auto const gap = [&](double h) {
    auto const drawn = flow_map::Drawn<T>{{{t, T(t - h), r, T(0.0 * t)}, T(1.0 + 0.0 * t), {}}, 0};
    T const loss = method.loss(none, none, Batch<T>{x0}, drawn);
    return std::sqrt(loss[0]);
  };
  CHECK(std::abs(slope(gap(0.02), gap(0.01)) - 2) < 0.1);
}

TEST_CASE("times of segments are neighbours inside one, and it ends at a point of the coarse grid") {
  auto const process = VarianceExploding{};
  auto const times = SegmentTimes<>{.segments = 4, .curriculum = {.first = 10, .last = 40, .K = 100}};
  times.check(process);
  CHECK(times.resolution(0) == 13);  // 10 intervals are no four segments: 12
  CHECK(times.resolution(50) == 21);
  CHECK(times.resolution(1000) == 41);
  auto const coarse = grid_of(process), fine = coarse;
  std::array<int, 4> often{};
  for (std::uint32_t i = 0; i < 400; ++i) {
    auto const [t, q, r] = times.draw(process, 0, Key{1}, {0, i});
    Index n = 1;
    while (fine(n, 13) < q) ++n;
    CHECK((fine(n, 13) == q && fine(n + 1, 13) == t));
    auto const segment = (n - 1) / 3;
    CHECK(r == doctest::Approx(coarse(segment + 1, 5)).epsilon(1e-12));
    ++often.at(static_cast<std::size_t>(segment));
  }
  for (auto const count : often) CHECK((count > 65 && count < 135));  // 100 each, within four deviations
}

// Of a teacher, the exact denoiser. One seed gave 0.104 and 0.097.
TEST_CASE("a multistep model finds the ends of the segments of a mixture's flow, one or four") {
  using X = Tensor<float>;
  set_threads(1);
  constexpr Index steps = 500, n = 81;
  auto const flow = Exact<Mixture, LinearPath>{two, path};
  auto const D = Denoiser{Mlp{{.dimensions = 1, .width = 48, .layers = 3, .embedding = 16}}, path};
  auto const teacher = TeacherVelocity{MixtureDenoiser{}, 0};
  X z{Shape{n, 1}};
  for (Index i = 0; i < n; ++i) z.mutable_data()[i] = static_cast<float>(i - 40) / 18;
  auto const batch = [](Index k) {
    auto const at = Counter{.step = static_cast<std::uint32_t>(k)};
    auto const u = uniform<float>({128, 1}, Key{7}, at);
    X x = 0.2 * normal<float>({128, 1}, Key{8}, at);  // (n, 1)
    for (Index i = 0; i < 128; ++i) x.mutable_data()[i] += u[i] < 0.3F ? -1.0F : 1.0F;
    return x;
  };
  for (Index const segments : {1, 4}) {
    CAPTURE(segments);
    Trainer trainer{MultistepConsistencyModel{.f = D,
                                              .velocity = teacher,
                                              .metric = L2{},
                                              .times = SegmentTimes<>{segments, {8, 64, steps}},
                                              .weighting = UniformWeighting{}},
                    Adam{.learning_rate = 4e-3, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
                    D.initialize(Key{1}),
                    {.ema = 0.99}};
    trainer.run(batch, steps, [](StepReport const&) { return true; });
    auto const x = sample(D, trainer.averaged(), OdeSampler<Ddim>{.steps = segments, .to_zero = false},
                          {.count = n, .batch = n, .noise = z});
    double error = 0, total = 0;
    for (Index i = 0; i < n; ++i) {
      auto const noise = static_cast<double>(z[i]), w = std::exp(-0.5 * noise * noise);
      total += w;
      error += w * std::abs(static_cast<double>(x[i]) - flow.transported(noise, 1, path.epsilon));
    }
    error /= total * two.deviation();
    CHECK(error < (segments == 1 ? 0.17 : 0.16));
  }
}

TEST_CASE("settings of multistep models that cannot be are named") {
  auto const process = VarianceExploding{};
  check_fails<ErrorCode::config>([&] { SegmentTimes<>{.segments = 0}.check(process); },
                                 {"SegmentTimes", "segments"});
  check_fails<ErrorCode::config>([] { GeometricSteps{.first = 5, .last = 4}.check(); },
                                 {"GeometricSteps", "last"});
  auto const D = Denoiser{Mlp{{.dimensions = 1, .width = 4, .layers = 1}}, LinearPath{.epsilon = 0}};
  check_fails<ErrorCode::config>(
      [&] { MultistepConsistencyModel{.f = D, .weighting = UniformWeighting{}}.check(); },
      {"MultistepConsistencyModel", "epsilon"});
}
