// SPDX-License-Identifier: MIT
#include "device.hpp"

#include <string>

#include <consistency/cuda.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;

X some_work(X const& image, X const& weight) { return softmax(silu(conv2d(image, weight)) + 1.0); }

}  // namespace

TEST_CASE("a GPU is there, or a sentence says why not") {
  if (cuda::on_host()) CHECK(cuda::unavailable().empty());
  if (cuda::unavailable().empty()) {
    CHECK(to<Cpu>(X(Shape{3}, 2.0F))[2] == 2);
  } else {
    CHECK_THROWS_WITH_AS((X{Shape{3}}), doctest::Contains("no GPU can be used"), device_error);
  }
}

TEST_CASE("a device that is not there is rejected") {
  CHECK_THROWS_WITH_AS(cuda::set_device(1000), doctest::Contains("set_device: device: found 1000"),
                       config_error);
  CHECK_THROWS_AS(cuda::set_device(-1), config_error);
}

TEST_CASE("numbers go to the device and come back") {
  NEEDS_DEVICE();
  auto const x = random<float>(Shape{3, 1000}, 1);
  auto const there = to<Cuda>(x);
  CHECK(same_bits(to<Cpu>(there), x));
  CHECK(same_bits(to<Cpu>(there.clone()), x));
  CHECK(same_bits(to<Cpu>(there.view(1000, Shape{1000})), x.view(1000, Shape{1000})));
  CHECK(same_bits(to<Cpu>(X(Shape{7}, 3.0F)), Tensor<float>(Shape{7}, 3.0F)));
  CHECK_FALSE(to<Cpu>(X{}).defined());
}

TEST_CASE("operands that do not fit each other are rejected on the device as on the CPU") {
  NEEDS_DEVICE();
  CHECK_THROWS_AS(linear(X{Shape{2, 3}}, X{Shape{4, 5}}), shape_error);
  CHECK_THROWS_AS(evaluated(X{Shape{2, 3}} + X{Shape{4}}), shape_error);
}

TEST_CASE("views that begin anywhere are worked on like copies") {
  NEEDS_DEVICE();
  auto const arena = random<float, Cuda>(Shape{100000}, 3);
  // Whether numbers are read one by one or four at a time is for the address to say, and may change
  // roundings.
  auto const allowed = 2 * (function_units + sum_units(9 * 16)) * unit_roundoff<float>;
  auto const close = [&](X const& x, X const& y) {
    CHECK(relative_error(x, convert<double, Cpu>(y)) <= allowed);
  };
  for (Index const offset : {1, 2, 3, 5}) {
    CAPTURE(offset);
    auto const image = arena.view(offset, {2, 8, 8, 16});
    auto const weight = arena.view(5000 + offset, {16, 24});
    auto const bias = arena.view(9000 + offset, {24});
    auto const kernel = arena.view(20000 + offset, {3, 3, 16, 24});
    auto const one = X(Shape{16}, 1.0F);
    CHECK(same_bits(concat(slice(image, 0, 8), image), concat(slice(image.clone(), 0, 8), image.clone())));
    CHECK(same_bits(upsample(image), upsample(image.clone())));
    close(silu(image) + 1.0, silu(image.clone()) + 1.0);
    close(group_norm(image, one, one, {.groups = 4}), group_norm(image.clone(), one, one, {.groups = 4}));
    for (auto const precision : {cuda::Precision::float32, cuda::Precision::bfloat16}) {
      PrecisionScope const scope{precision};
      close(linear(image, weight, bias), linear(image.clone(), weight.clone(), bias.clone()));
      close(conv2d(image, kernel, bias), conv2d(image.clone(), kernel.clone(), bias.clone()));
    }
  }
}

TEST_CASE("in TF32 products are close to those in float32") {
  NEEDS_GPU();
  auto const x = random<float, Cuda>(Shape{64, 256}, 1), w = random<float, Cuda>(Shape{256, 64}, 2);
  auto const exact = convert<double, Cpu>(linear(x, w));
  PrecisionScope const scope{cuda::Precision::tf32};
  auto const found = linear(x, w);
  CHECK(relative_error(found, exact) < 1e-3);
  CHECK(relative_error(found, exact) > 1e-6);
}

TEST_CASE("work on a stream of one's own gives the bits of the default stream's") {
  NEEDS_GPU();
  auto const image = random<float, Cuda>(Shape{4, 16, 16, 32}, 1);
  auto const weight = random<float, Cuda>(Shape{3, 3, 32, 64}, 2);
  auto const expected = to<Cpu>(some_work(image, weight));
  cuda::Stream const stream;
  cuda::StreamScope const scope{stream};
  CHECK(same_bits(to<Cpu>(some_work(image, weight)), expected));
  stream.wait();
}

TEST_CASE("twenty repeats give the same bits") {
  NEEDS_GPU();
  auto const image = random<float, Cuda>(Shape{4, 16, 16, 32}, 1);
  auto const weight = random<float, Cuda>(Shape{3, 3, 32, 64}, 2);
  auto const first = to<Cpu>(some_work(image, weight));
  for (int repeat = 0; repeat < 20; ++repeat) CHECK(same_bits(to<Cpu>(some_work(image, weight)), first));
}

TEST_CASE("too large a tensor says how much was asked for and what would fit") {
  NEEDS_GPU();
  CHECK_THROWS_WITH_AS((X{Shape{Index{1} << 40}}), doctest::Contains("bytes free of"), resource_error);
  CHECK(to<Cpu>(X(Shape{3}, 2.0F))[2] == 2);  // and the device goes on
}
