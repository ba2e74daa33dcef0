// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/l1.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/target/stop_gradient_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_objective.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/consistency_trajectory_model.hpp>
#include <consistency/training/lagrangian_self_distillation.hpp>
#include <consistency/training/progressive_self_distillation.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;
using MlpFunction = ConsistencyFunction<Mlp>;
using UNetFunction = ConsistencyFunction<UNet>;

MlpFunction small_mlp() {
  return MlpFunction{Mlp{{.dimensions = 3, .width = 24, .layers = 2, .embedding = 8}}};
}
UNetFunction small_unet(double dropout) {
  return UNetFunction{UNet{{.channels = 4,
                            .blocks = 1,
                            .attention = {2},
                            .groups = 2,
                            .dropout = dropout,
                            .embedding = 6,
                            .image = {4, 4, 1}}}};
}

/// Parameters away from their initial zeros.
template <class F>
Parameters<T> random_parameters(F const& f, std::uint64_t seed) {
  auto theta = f.template initialize<double>({seed});
  auto const noise = normal<double>({1, theta.flat().count()}, {seed, stream::noise});
  for (Index i = 0; i < noise.count(); ++i) theta.flat().mutable_data()[i] += 0.1 * noise[i];
  return theta;
}

/// The gradient of a method's loss by θ on the tape.
template <class Method>
Parameters<T> gradient_of(Method const& method, Parameters<T> const& theta, Parameters<T> const& theta_minus,
                          T const& x0, Index k, Key key) {
  auto gradient = Parameters<T>{theta.table()};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  tape.backward(method.loss(watched, theta_minus, x0, method.draw(x0, k, key)));
  return gradient;
}

/// The loss as a function of θ along a line.
template <class Loss>
double slope(Loss const& loss, Parameters<T> const& theta, T const& direction) {
  constexpr auto h = 1e-5;
  auto const at = [&](double step) {
    auto moved = theta;
    for (Index i = 0; i < direction.count(); ++i) moved.flat().mutable_data()[i] += step * direction[i];
    T const value = loss(moved);
    return value[0];
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

constexpr auto key = Key{12};

}  // namespace

TEST_CASE("the loss is that of the algorithm with x_r = x + r z") {
  auto const check = [](auto const& metric, auto const& weighting) {
    auto const f = small_mlp();
    auto const theta = random_parameters(f, 1);
    auto const theta_minus = random_parameters(f, 2);
    auto const times = GridTimes<FixedSteps>{.curriculum = {.N = 18}};
    auto const method = ConsistencyTraining{.f = f, .metric = metric, .times = times, .weighting = weighting};
    constexpr Index n = 32;
    constexpr Index k = 5;
    auto const x0 = normal<double>({n, 3}, {3});
    auto const z = normal<double>({n, 3}, key.with_stream(stream::noise), {k, 0});
    double expected = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      auto const [t, r] = times.draw(f.process(), k, key.with_stream(stream::times), {k, i});
      auto const row = Shape{1, 3};
      T const x = x0.view(3 * i, row).clone();
      T const noise = z.view(3 * i, row).clone();
      T const student = f(theta, T(x + t * noise), consistency::test::times<double>(1, t));
      T const target = f(theta_minus, T(x + r * noise), consistency::test::times<double>(1, r));
      T const distance_of_one = metric(student, target);
      T const weight =
          weighting(consistency::test::times<double>(1, t), consistency::test::times<double>(1, r));
      expected += weight[0] * distance_of_one[0] / n;
    }
    T const loss = method.loss(theta, theta_minus, x0, method.draw(x0, k, key));
    CHECK(loss.shape() == Shape{});
    CHECK(relative_error(loss[0], expected) < 1e-12);
  };
  check(PseudoHuber{}, UniformWeighting{});
  check(PseudoHuber{0.3}, InverseGapWeighting{});
  check(L1{}, UniformWeighting{});
  check(L2{}, InverseGapWeighting{});
}

TEST_CASE("with two grid points the target is the least noisy data itself") {
  auto const f = small_mlp();
  auto const theta = random_parameters(f, 1);
  auto const method =
      ConsistencyTraining{.f = f, .metric = L2{}, .times = GridTimes<FixedSteps>{.curriculum = {.N = 2}}};
  auto const x0 = normal<double>({16, 3}, {3});
  auto const z = normal<double>({16, 3}, key.with_stream(stream::noise), {});
  T const student = f(theta, T(x0 + 80.0 * z), times<double>(16, 80));
  T const expected = mean(square(student - (x0 + 0.002 * z)));
  T const loss = method.loss(theta, theta, x0, method.draw(x0, 0, key));
  CHECK(relative_error(loss[0], expected[0]) < 1e-12);
}

TEST_CASE("the loss of a batch is the mean of the losses of its parts") {
  auto const f = small_unet(0.4);
  auto const theta = random_parameters(f, 1);
  auto const method = ConsistencyTraining{.f = f, .metric = PseudoHuber{}, .times = GapTimes{}};
  auto const x0 = normal<double>({6, 4, 4, 1}, {3});
  auto const part = [&](Index first, Index n) {
    auto const some = x0.view(16 * first, {n, 4, 4, 1});
    T const loss =
        method.loss(theta, theta, some, method.draw(some, 7, key, static_cast<std::uint32_t>(first)));
    return loss[0];
  };
  CHECK(relative_error((4 * part(0, 4) + 2 * part(4, 2)) / 6, part(0, 6)) < 1e-13);
}

TEST_CASE("student and target share their dropout masks") {
  auto const f = small_unet(0.5);
  auto const theta = random_parameters(f, 1);
  auto const x0 = normal<double>({5, 4, 4, 1}, {3});
  auto const check = [&](auto const& metric) {
    auto const method = ConsistencyTraining{.f = f, .metric = metric};
    auto const at_one_time = [&](Index k) {
      auto drawn = method.draw(x0, k, key);
      drawn.times[1] = drawn.times[0];
      return drawn;
    };
    for (Index k = 0; k < 5; ++k) {
      T const loss = method.loss(theta, theta, x0, at_one_time(k));
      CHECK(loss[0] == 0.0);
    }
    T const other = method.loss(theta, random_parameters(f, 2), x0, at_one_time(0));
    CHECK(other[0] > 0.0);
  };
  check(L1{});
  check(L2{});
  check(PseudoHuber{});
  // The masks do act: at another step the same picture has another value.
  auto const x = Mode{.training = true, .key = key, .first = {0, 0}};
  auto const y = Mode{.training = true, .key = key, .first = {1, 0}};
  auto const t = T(Shape{5, 1, 1, 1}, 1.3);
  CHECK(distance<double>(f(theta, x0, t, x), f(theta, x0, t, y)) > 1e-3);
}

/// The gradient of the whole loss against finite differences, with a constant target.
void check_gradient(auto const& method, Shape const& shape) {
  auto const theta = random_parameters(method.f, 4);
  auto const theta_minus = random_parameters(method.f, 5);
  auto const x0 = normal<double>(shape, {6});
  for (Index const k : {0, 900, 5000}) {
    auto const gradient = gradient_of(method, theta, theta_minus, x0, k, key);
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      auto const direction = normal<double>({1, theta.flat().count()}, {seed});
      auto const loss = [&](auto const& at) {
        return method.loss(at, theta_minus, x0, method.draw(x0, k, key));
      };
      CHECK(relative_error(dot(gradient.flat(), direction), slope(loss, theta, direction)) < 1e-6);
    }
  }
}

TEST_CASE("the gradient of the whole loss is that of finite differences with a constant target") {
  check_gradient(ConsistencyTraining{.f = small_mlp(),
                                     .metric = PseudoHuber{0.1},
                                     .times = GapTimes{},
                                     .weighting = InverseGapWeighting{}},
                 {16, 3});
  check_gradient(
      ConsistencyTraining{
          .f = small_mlp(), .metric = L2{}, .times = GridTimes<DoublingSteps, LogNormalDistribution>{}},
      {16, 3});
  check_gradient(ConsistencyTraining{.f = small_unet(0.3),
                                     .metric = PseudoHuber{0.1},
                                     .times = GapTimes{},
                                     .weighting = InverseGapWeighting{}},
                 {4, 4, 4, 1});
}

TEST_CASE("so is that of flow maps: through a jump of the target network, a JVP, or the map alone") {
  FlowMap const X{Mlp{{.dimensions = 3,
                       .width = 24,
                       .layers = 2,
                       .embedding = 8,
                       .condition = {.second_time = SecondTime::gap}}},
                  VelocityPreconditioning{}, LinearPath{.epsilon = 0.01, .T = 0.98}};
  Denoiser const D{Mlp{{.dimensions = 3, .width = 24, .layers = 2, .embedding = 8}}};
  auto const teacher = TeacherVelocity{D, random_parameters(D, 8)};
  check_gradient(ConsistencyTrajectoryModel{.f = X, .velocity = teacher, .denoising = 0.5}, {16, 3});
  // Beyond the diagonal its target is at the student's own end, which differences would move too.
  auto const diagonal = PairTimes<UniformDistribution>{.first = {}, .second = {}, .diagonal = 1};
  check_gradient(LagrangianSelfDistillation{.f = X, .times = diagonal}, {16, 3});
  check_gradient(ProgressiveSelfDistillation{.f = X}, {16, 3});
}

TEST_CASE("no gradient flows through the target, though it has the student's parameters") {
  auto const f = small_mlp();
  auto const theta = random_parameters(f, 4);
  auto const method = ConsistencyTraining{
      .f = f, .metric = PseudoHuber{0.1}, .times = GridTimes<FixedSteps>{.curriculum = {.N = 18}}};
  auto const x0 = normal<double>({16, 3}, {6});
  auto const gradient = gradient_of(method, theta, theta, x0, 3, key);
  auto const direction = normal<double>({1, theta.flat().count()}, {7});
  auto const stopped = [&](auto const& at) { return method.loss(at, theta, x0, method.draw(x0, 3, key)); };
  auto const through = [&](auto const& at) { return method.loss(at, at, x0, method.draw(x0, 3, key)); };
  CHECK(relative_error(dot(gradient.flat(), direction), slope(stopped, theta, direction)) < 1e-7);
  CHECK(relative_error(dot(gradient.flat(), direction), slope(through, theta, direction)) > 1e-2);
}

TEST_CASE("the loss of the exact function under an exact teacher vanishes with the solver's local error") {
  // On Gaussian data f* is constant along trajectories; one step errs by O(Δt^(p + 1)).
  auto const f = ConsistencyFunction{GaussianNetwork{}};
  auto const theta = f.initialize<double>({});
  auto const denoiser = [](auto const&, T const& x, auto const& t) {
    return mapped(x, evaluated(t), [](double a, double time) { return Gaussian{}.denoised(a, time); });
  };
  auto const x0 = evaluated(0.3 + 0.5 * normal<double>({2000, 4}, {8}));
  auto const loss = [&](auto solver, Index points) {
    auto const method = ConsistencyObjective{.f = f,
                                             .velocity = TeacherVelocity{denoiser, 0},
                                             .solver = solver,
                                             .metric = L1{},
                                             .times = GridTimes<FixedSteps>{.curriculum = {.N = points}},
                                             .weighting = UniformWeighting{},
                                             .target = StopGradientTarget{}};
    T const value = method.loss(theta, theta, x0, method.draw(x0, 0, key));
    return value[0];
  };
  CHECK(std::log2(loss(Euler{}, 101) / loss(Euler{}, 201)) == doctest::Approx(2).epsilon(0.05));
  CHECK(std::log2(loss(Heun{}, 101) / loss(Heun{}, 201)) == doctest::Approx(3).epsilon(0.05));
  CHECK(loss(Heun{}, 201) < 1e-4);
}

TEST_CASE("noise and times depend on key and step") {
  auto const f = small_mlp();
  auto const theta = random_parameters(f, 1);
  auto const method = ConsistencyTraining{.f = f, .metric = PseudoHuber{}, .times = GapTimes{}};
  auto const x0 = normal<double>({8, 3}, {3});
  auto const loss = [&](Index k, Key which) {
    T const value = method.loss(theta, theta, x0, method.draw(x0, k, which));
    return value[0];
  };
  CHECK(loss(3, key) == loss(3, key));
  CHECK(loss(3, key) != loss(4, key));
  CHECK(loss(3, key) != loss(3, Key{13}));
}
