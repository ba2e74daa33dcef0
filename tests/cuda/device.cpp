#include "device.hpp"

#include <string>

#include <consistency/cuda.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;

X some_work(X const& image, X const& weight) { return softmax(silu(conv2d(image, weight)) + 1.0); }

}  // namespace

TEST_CASE("a GPU is there, or a sentence says why not") {
  if (cuda::on_host()) CHECK(cuda::unavailable().empty());
  if (!cuda::unavailable().empty())
    CHECK_THROWS_WITH_AS((X{Shape{3}}), doctest::Contains("no GPU can be used"), device_error);
}

TEST_CASE("a device that is not there is refused") {
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

TEST_CASE("operands that do not fit each other are refused on the device as on the CPU") {
  NEEDS_DEVICE();
  CHECK_THROWS_AS(linear(X{Shape{2, 3}}, X{Shape{4, 5}}), shape_error);
  CHECK_THROWS_AS(evaluated(X{Shape{2, 3}} + X{Shape{4}}), shape_error);
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
}
