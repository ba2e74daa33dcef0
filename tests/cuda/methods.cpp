// SPDX-License-Identifier: MIT
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include <consistency/cuda.hpp>

#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using Device = Tensor<double, Cuda>;
using Host = Tensor<double>;

ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};
ConsistencyFunction const D{f.network(), EdmPreconditioning{}};

/// Every method, its teacher's parameters in X's memory.
template <class X>
auto methods() {
  auto const teacher = TeacherVelocity{D, to<typename X::Backend>(D.initialize<double>(Key{7}))};
  return std::tuple{
      ConsistencyTraining{f},
      ConsistencyTraining{f, PseudoHuber{.c = 0.03}, GapTimes{}, InverseGapWeighting{}, AdaptiveEmaTarget{}},
      ConsistencyDistillation{f, teacher, Euler{}},
      ConsistencyDistillation{f, teacher, Heun{}, LInf{}},
      ConsistencyDistillation{f, teacher, Dpm2{}, L1{}, GridTimes<FixedSteps>{}, UniformWeighting{},
                              EmaTarget{}},
      ContinuousConsistencyTraining{f, L2{}, LogNormalLaw{}},
      ContinuousConsistencyDistillation{f, teacher, PseudoHuber{.c = 0.03}},
      ContinuousConsistencyDistillation{f, teacher, L2{}, UniformLaw{}, GridSpeedWeighting{},
                                        StudentTarget{}},
      ContinuousConsistencyDistillation{f, teacher, L1{}, UniformLaw{}, UniformWeighting{}, StudentTarget{}},
      DenoiserTraining{D},
      ProgressiveDistillation{D, ProgressiveTimes{.start = 4, .stage_steps = 1}}};
}

/// The losses of two steps, and the average of θ after them.
template <class X>
std::pair<std::vector<double>, Host> trained(auto const& method) {
  Trainer trainer{method, Adam{}, method.f.template initialize<X>(Key{3}), {.key = Key{4}}};
  std::vector<double> losses;
  for (std::uint32_t k = 0; k < 2; ++k) {
    Host const batch = 0.5 * normal<Host>({4, 2}, Key{5}, {k});
    losses.push_back(trainer.step(to<typename X::Backend>(batch)).loss);
  }
  return {losses, to<Cpu>(trainer.averaged().flat())};
}

}  // namespace

TEST_CASE("every method trains on the device as on the CPU, to rounding") {
  NEEDS_DEVICE();
  auto const on_device = methods<Device>();
  auto const on_host = methods<Host>();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    auto const same = [&](auto const& a, auto const& b, std::size_t number) {
      CAPTURE(number);
      auto const [losses, averaged] = trained<Device>(a);
      auto const [references, expected] = trained<Host>(b);
      for (std::size_t k = 0; k < losses.size(); ++k)
        CHECK(losses[k] == doctest::Approx(references[k]).epsilon(1e-9));
      CHECK(relative_error(averaged, expected) <= 1e-9);
    };
    (same(std::get<I>(on_device), std::get<I>(on_host), I), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(on_host)>>{});
}

TEST_CASE("every sampler draws on the device as on the CPU, to rounding") {
  NEEDS_DEVICE();
  auto const settings = SampleSettings{.seed = 2, .count = 5, .batch = 3};
  auto const same = [&](auto const& function, auto const& sampler) {
    auto const theta = function.template initialize<double>(Key{6});
    CHECK(relative_error(sample(function, to<Cuda>(theta), sampler, settings),
                         sample(function, theta, sampler, settings)) <= 1e-9);
  };
  same(f, OneStep{});
  same(f, Multistep{.times = {10, 0.8, 0.1}});
  same(D, OdeSampler<Euler>{.steps = 4, .to_zero = false});
  same(D, OdeSampler<Heun>{.steps = 4, .churn = 1});
  same(D, OdeSampler<Dpm2>{.steps = 4});
}

TEST_CASE("on the device too, numbers that are not finite are refused by resume, by a step and in samples") {
  NEEDS_DEVICE();
  Trainer trainer{ConsistencyTraining{f}, RAdam{.learning_rate = 1e308}, f.initialize<Device>(Key{3})};
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
