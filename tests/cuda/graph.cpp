// SPDX-License-Identifier: MIT
#include <consistency/cuda.hpp>

#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;

}  // namespace

TEST_CASE("sampling that was recorded gives the bits of sampling step by step") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{
      UNet{{.channels = 8, .multipliers = {1, 2}, .attention = {4}, .image = {8, 8, 1}}}};
  auto const theta = f.initialize<X>(Key{1});
  X const times{Shape{4, 1, 1, 1}, 80.0F};
  X noise{Shape{4, 8, 8, 1}, 1.0F};
  X images{noise.shape()};
  cuda::Graph graph;
  for (std::uint32_t k = 0; k < 3; ++k) {
    noise.assign(X{80.0 * normal<X>(noise.shape(), Key{2}, {k})});
    graph.run([&] { images.assign(f(theta, noise, times)); });
    CHECK(same_bits(images, X{f(theta, noise, times)}));
  }
}

TEST_CASE("sampling as a whole can be recorded, with any sampler") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};
  Denoiser const D{f.network()};
  auto const theta = f.initialize<X>(Key{1});
  auto const settings = SampleSettings{.seed = 2, .count = 5, .batch = 3};
  auto const check = [&](auto const& function, auto const& sampler) {
    X samples{Shape{5, 2}};
    cuda::Graph graph;
    for (int run = 0; run < 3; ++run)
      graph.run([&] { samples.assign(sample(function, theta, sampler, settings)); });
    CHECK(same_bits(samples, sample(function, theta, sampler, settings)));
  };
  check(f, OneStep{});
  check(f, Multistep{.times = {10, 0.8}});
  check(D, OdeSampler<Heun>{.steps = 4});
  check(D, DpmSolverPlusPlus2M{.steps = 4});
}

TEST_CASE("work that reads numbers on the host cannot be recorded") {
  NEEDS_DEVICE();
  X const x{Shape{3}, 1.0F};
  auto const read = [&] { static_cast<void>(to<Cpu>(x)); };
  CHECK_THROWS_WITH_AS(cuda::Graph{}.run(read), doctest::Contains("read on the host"), device_error);
  CHECK(to<Cpu>(x)[0] == 1);
}

TEST_CASE("work that waits for its own stream cannot be recorded") {
  NEEDS_DEVICE();
  auto const wait = [] { cuda::Stream::current().wait(); };
  CHECK_THROWS_WITH_AS(cuda::Graph{}.run(wait), doctest::Contains("Wait after run()"), device_error);
  CHECK(to<Cpu>(X(Shape{3}, 2.0F))[2] == 2);
}

TEST_CASE("large uploads cannot be recorded") {
  NEEDS_DEVICE();
  Tensor<float> const numbers{Shape{1000}, 1.0F};
  X there{numbers.shape()};
  auto const upload = [&] { there.assign(to<Cuda>(numbers)); };
  CHECK_THROWS_WITH_AS(cuda::Graph{}.run(upload), doctest::Contains("an upload of 4000 bytes"), device_error);
  CHECK(to<Cpu>(X(Shape{3}, 2.0F))[2] == 2);
}

TEST_CASE("results that replace a tensor of outside cannot be recorded") {
  NEEDS_GPU();
  X x{Shape{3}, 1.0F};
  auto const replace = [&] { x = X{2.0 * x}; };
  CHECK_THROWS_WITH_AS(cuda::Graph{}.run(replace), doctest::Contains("x.assign"), config_error);
  CHECK(to<Cpu>(X(Shape{3}, 2.0F))[2] == 2);
}
