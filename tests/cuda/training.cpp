// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <vector>

#include <consistency/cuda.hpp>
#include <consistency/editing/inpaint.hpp>
#include <consistency/editing/super_resolve.hpp>
#include <consistency/optimizer/muon.hpp>

#include "../tensor/support.hpp"
#include "../training/state.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using Device = Tensor<double, Cuda>;
using Host = Tensor<double>;

/// A U-Net with all that one has: levels, attention, dropout.
UNet small_unet() {
  return UNet{{.channels = 8,
               .multipliers = {1, 2},
               .blocks = 1,
               .attention = {4},
               .dropout = 0.1,
               .image = {8, 8, 2}}};
}

Host batch(Index k) { return 0.5 * normal<Host>({4, 8, 8, 2}, Key{5}, {static_cast<std::uint32_t>(k)}); }

/// θ and the losses of a few steps on X's backend.
template <class X, class O = RAdam>
std::pair<Parameters<Host>, std::vector<double>> train(auto const& method, Index steps,
                                                       O const& optimizer = {.learning_rate = 1e-3}) {
  Trainer trainer{
      method, optimizer, method.f.template initialize<X>(Key{3}), {.ema = 0.9, .clip = 1, .key = Key{4}}};
  std::vector<double> losses;
  for (Index k = 0; k < steps; ++k) losses.push_back(trainer.step(to<typename X::Backend>(batch(k))).loss);
  return {to<Cpu>(trainer.averaged()), losses};
}

/// Training on the device is training on the CPU, to rounding.
template <class O = RAdam>
void same_training(auto const& method, Index steps, O const& optimizer = {.learning_rate = 1e-3}) {
  auto const [found, losses] = train<Device>(method, steps, optimizer);
  auto const [expected, references] = train<Host>(method, steps, optimizer);
  CHECK(relative_error(found.flat(), expected.flat()) <= 1e-9);
  for (std::size_t k = 0; k < losses.size(); ++k) {
    CHECK(references[k] > 0);
    CHECK(losses[k] == doctest::Approx(references[k]).epsilon(1e-9));
  }
}

}  // namespace

TEST_CASE("consistency training of a U-Net on the device is the CPU's to rounding") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  same_training(ConsistencyTraining{.f = f,
                                    .metric = PseudoHuber{.c = 0.03},
                                    .times = GridTimes<>{},
                                    .weighting = UniformWeighting{},
                                    .target = AdaptiveEmaTarget{}},
                4);
}

TEST_CASE("continuous-time training on the device, through the JVP, is the CPU's to rounding") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  same_training(ContinuousConsistencyTraining{.f = f}, 2);
}

TEST_CASE("a run's state keeps its bits to the device and back, with a target network and without") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  auto const check = [&](auto const& method) {
    Trainer trainer{method, RAdam{}, f.initialize<double>(Key{3}), {.key = Key{4}}};
    trainer.step(batch(0));
    CHECK(same_state(to<Cpu>(to<Cuda>(trainer.state())), trainer.state()));
  };
  check(ConsistencyTraining{.f = f,
                            .metric = PseudoHuber{.c = 0.03},
                            .times = GridTimes<>{},
                            .weighting = UniformWeighting{},
                            .target = AdaptiveEmaTarget{}});
  check(ConsistencyTraining{.f = f});
}

TEST_CASE("samples on the device are the CPU's to rounding") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  auto const theta = f.initialize<double>(Key{6});
  auto const settings = SampleSettings{.seed = 2, .count = 5, .batch = 3};
  auto const check = [&](auto const& sampler) {
    auto const found = sample(f, to<Cuda>(theta), sampler, settings);
    CHECK(relative_error(found, sample(f, theta, sampler, settings)) <= 1e-9);
  };
  check(OneStep{});
  check(Multistep{.times = {10, 0.8, 0.1}});
}

TEST_CASE("training by Muon on the device is the CPU's to rounding") {
  NEEDS_DEVICE();
  same_training(ConsistencyTraining{.f = ConsistencyFunction{small_unet()}}, 3, Muon{});
}

TEST_CASE("edits on the device are the CPU's to rounding, known numbers to the bit") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  auto const theta = f.initialize<double>(Key{6});
  auto const shape = f.network().data_shape().samples(2);
  auto const y = normal<double>(shape, Key{3});
  Tensor<double> mask{shape.with(0, 1), 0.0};
  for (Index i = 0; i < mask.count(); i += 2) mask.mutable_data()[i] = 1;
  auto const settings = EditSettings{.results = 2, .seed = 2, .times = {80, 1}, .batch = 3};
  auto const found = inpaint(f, to<Cuda>(theta), to<Cuda>(y), to<Cuda>(mask), settings);
  CHECK(relative_error(found, inpaint(f, theta, y, mask, settings)) <= 1e-9);
  auto const host = to<Cpu>(found);
  for (Index i = 1; i < mask.count(); i += 2) CHECK(host[i] == y[i]);
  auto const p = super_resolve(f, to<Cuda>(theta), to<Cuda>(downsample(y)), 2, settings);
  CHECK(relative_error(p, super_resolve(f, theta, downsample(y), 2, settings)) <= 1e-9);
}

TEST_CASE("the same training twice gives the same bits") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{small_unet()};
  auto const method = ConsistencyTraining{.f = f};
  auto const first = train<Device>(method, 3);
  auto const again = train<Device>(method, 3);
  CHECK(same_bits(first.first.flat(), again.first.flat()));
  CHECK(first.second == again.second);
}

TEST_CASE("training that is recorded gives the bits of training step by step, whatever the batches' shapes") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{UNet{{.channels = 8, .multipliers = {1}, .image = {8, 8, 2}}}};
  auto const method = ConsistencyTraining{.f = f,
                                          .metric = PseudoHuber{.c = 0.03},
                                          .times = GridTimes<>{},
                                          .weighting = UniformWeighting{},
                                          .target = AdaptiveEmaTarget{}};
  auto const run = [&](bool record) {
    Trainer trainer{method,
                    RAdam{.learning_rate = 1e-3},
                    f.initialize<Device>(Key{3}),
                    {.key = Key{4}, .record = record}};
    for (Index const size : {4, 4, 2, 2, 4}) {
      auto const k = trainer.state().step;
      trainer.step(to<Cuda>(batch(k).view(0, {size, 8, 8, 2})));
    }
    trainer.resume(to<Cuda>(to<Cpu>(trainer.state())));
    trainer.step(to<Cuda>(batch(5)));
    return to<Cpu>(trainer.state());
  };
  CHECK(same_state(run(true), run(false)));
}
