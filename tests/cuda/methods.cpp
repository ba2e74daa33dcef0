// SPDX-License-Identifier: MIT
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <consistency/cuda.hpp>
#include <consistency/tensor/reference.hpp>

#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using Device = Tensor<double, Cuda>;
using Host = Tensor<double>;
using Oracle = Tensor<double, Reference>;

Mlp const net{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}};
ConsistencyFunction const f{net};
Denoiser const D{net};
ConsistencyFunction const f_linear{net, LinearPath{.epsilon = 0.0025, .T = 0.98}};
Denoiser const D_linear{net, LinearPath{}};
ConsistencyFunction const f_trig{net, Trigonometric{}};
FlowMap const map{Mlp{{.dimensions = 2,
                       .width = 16,
                       .layers = 2,
                       .embedding = 8,
                       .condition = {.second_time = SecondTime::gap}}},
                  LinearPath{.epsilon = 0.006, .T = 0.994}};
Denoiser const D_trig{net, Trigonometric{}};

/// Every method, its teacher's parameters in X's memory; each noise process, and teachers of another one.
template <class X>
auto methods() {
  auto const phi = to<typename X::Backend>(D.initialize<double>(Key{7}));
  auto const teacher = TeacherVelocity{D, phi};
  return std::tuple{
      ConsistencyTraining{.f = f},
      ConsistencyTraining{.f = f,
                          .metric = PseudoHuber{.c = 0.03},
                          .times = GapTimes{},
                          .weighting = InverseGapWeighting{},
                          .target = AdaptiveEmaTarget{}},
      ConsistencyTraining{.f = f_linear, .times = GapTimes{}},
      ConsistencyTraining{.f = f_trig, .times = GridTimes<FixedSteps>{}},
      ConsistencyDistillation{.f = f, .velocity = teacher, .solver = Euler{}},
      ConsistencyDistillation{.f = f, .velocity = teacher, .metric = LInf{}},
      ConsistencyDistillation{
          .f = f, .velocity = teacher, .solver = Dpm2{}, .metric = L1{}, .target = EmaTarget{}},
      ConsistencyDistillation{.f = f_linear, .velocity = teacher},
      ConsistencyDistillation{.f = f_trig, .velocity = teacher, .solver = Ddim{}},
      ContinuousConsistencyTraining{.f = f, .distribution = LogNormalDistribution{}},
      ContinuousConsistencyTraining{.f = f_linear},
      ContinuousConsistencyDistillation{.f = f, .velocity = teacher, .metric = PseudoHuber{.c = 0.03}},
      ContinuousConsistencyDistillation{.f = f_trig, .velocity = TeacherVelocity{D_trig, phi}},
      ContinuousConsistencyDistillation{
          .f = f, .velocity = teacher, .weighting = GridSpeedWeighting{}, .target = StudentTarget{}},
      ContinuousConsistencyDistillation{
          .f = f, .velocity = teacher, .metric = L1{}, .target = StudentTarget{}},
      DenoiserTraining{.f = D},
      FlowMatching{.f = D_linear},
      FlowMatching{.f = D_trig},
      InductiveMomentMatching{.f = map, .times = {.steps = 8}, .group = 2},
      Drifting{.f = f_linear, .group = 4},
      ProgressiveDistillation{.f = D, .times = {.start = 4, .stage_steps = 1}}};
}

/// The same draws in the memory of plain loops.
template <std::size_t Times>
Draws<Oracle, Times> to_oracle(Draws<Host, Times> const& drawn) {
  Draws<Oracle, Times> copy{{}, to<Reference>(drawn.z), drawn.mode};
  for (std::size_t j = 0; j < Times; ++j) copy.times[j] = to<Reference>(drawn.times[j]);
  return copy;
}
flow_map::Drawn<Oracle> to_oracle(flow_map::Drawn<Host> const& drawn) {
  return {to_oracle(static_cast<Draws<Host, 4> const&>(drawn)), drawn.k};
}

/// check(a, b, its number) for each method in one memory and the same in another.
template <class X, class Y>
void each_method(auto const& check) {
  auto const here = methods<X>();
  auto const there = methods<Y>();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (check(std::get<I>(here), std::get<I>(there), I), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(here)>>{});
}

/// use(sampler) for each sampler of a consistency function, or of a denoiser.
void each_sampler(auto const& function, auto const& use) {
  if constexpr (may_be<std::remove_cvref_t<decltype(function)>, Kind::consistency_function>) {
    use(OneStep{});
    use(Multistep{.times = {0.8, 0.1}});
  } else {
    use(OdeSampler<Euler>{.steps = 4, .to_zero = false});
    use(OdeSampler<Heun>{.steps = 4, .churn = 1});
    use(OdeSampler<Dpm2>{.steps = 4});
    use(OdeSampler<Ddim>{.steps = 4});
    use(OdeSampler<Midpoint>{.steps = 4});
    use(EulerAncestral{.steps = 4});
    use(DpmSolverPlusPlus2M{.steps = 4});
  }
}

/// The losses of two steps, the average of θ after them, and samples of it by each sampler.
template <class X>
std::pair<std::vector<double>, std::vector<Host>> trained(auto const& method) {
  Trainer trainer{method, Adam{}, method.f.template initialize<X>(Key{3}), {.key = Key{4}}};
  std::vector<double> losses;
  for (std::uint32_t k = 0; k < 2; ++k) {
    Host const batch = 0.5 * normal<Host>({4, 2}, Key{5}, {k});
    losses.push_back(trainer.step(to<typename X::Backend>(batch)).loss);
  }
  std::vector<Host> found{to<Cpu>(trainer.averaged().flat())};
  each_sampler(method.f, [&](auto const& sampler) {
    found.push_back(
        to<Cpu>(sample(method.f, trainer.averaged(), sampler, {.seed = 2, .count = 5, .batch = 3})));
  });
  return {losses, found};
}

}  // namespace

TEST_CASE("what every method trains, every sampler draws from: on the device as on the CPU, to rounding") {
  NEEDS_DEVICE();
  each_method<Device, Host>([](auto const& a, auto const& b, std::size_t number) {
    CAPTURE(number);
    auto const [losses, found] = trained<Device>(a);
    auto const [references, expected] = trained<Host>(b);
    for (std::size_t k = 0; k < losses.size(); ++k)
      CHECK(losses[k] == doctest::Approx(references[k]).epsilon(1e-9));
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK(relative_error(found[i], expected[i]) <= 1e-9);
    }
  });
}

TEST_CASE("every method's loss is the same by plain loops, to rounding") {
  Host const x0 = 0.5 * normal<Host>({4, 2}, Key{5});
  each_method<Oracle, Host>([&](auto const& a, auto const& b, std::size_t number) {
    CAPTURE(number);
    auto const theta = b.f.template initialize<double>(Key{3});
    auto const theta_minus = b.f.template initialize<double>(Key{b.has_target ? 6U : 3U});
    auto const drawn = b.draw(x0, 2, Key{4});
    Oracle const found =
        a.loss(to<Reference>(theta), to<Reference>(theta_minus), to<Reference>(x0), to_oracle(drawn));
    Host const expected = b.loss(theta, theta_minus, x0, drawn);
    CHECK(found[0] == doctest::Approx(expected[0]).epsilon(1e-9));
  });
}

TEST_CASE("on the device too, numbers that are not finite are rejected by resume, by a step and in samples") {
  NEEDS_DEVICE();
  Trainer trainer{ConsistencyTraining{.f = f}, RAdam{.learning_rate = 1e308}, f.initialize<Device>(Key{3})};
  auto const before = to<Cpu>(trainer.theta().flat());
  CHECK_THROWS_WITH_AS(trainer.step(to<Cuda>(Host(0.5 * normal<Host>({4, 2}, Key{5})))),
                       doctest::Contains("theta, "), numeric_error);
  CHECK(same_bits(to<Cpu>(trainer.theta().flat()), before));

  auto state = to<Cpu>(trainer.state());
  state.averaged.flat().mutable_data()[0] = std::nan("");
  CHECK_THROWS_WITH_AS(trainer.resume(to<Cuda>(state)), doctest::Contains("averaged, "), numeric_error);
  auto theta = f.initialize<double>(Key{3});
  theta.flat().mutable_data()[0] = std::nan("");
  CHECK_THROWS_WITH_AS(sample(f, to<Cuda>(theta), OneStep{}, {.first = 4}),
                       doctest::Contains("sample 4, number 0"), numeric_error);
}
