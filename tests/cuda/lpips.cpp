// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/cuda.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/vgg16.hpp>

#include "../support/compare.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class B>
auto lpips() {
  using X = Tensor<double, B>;
  auto const net = Vgg16{{.resize = 16}};
  auto const theta = Parameters<Tensor<double>>::initialized(net.parameters(), {1});
  return Lpips<FeatureExtractor<Vgg16, X>, X>{{net, to<B>(theta)}, uniform_heads<X>(Vgg16::channels)};
}

}  // namespace

static_assert(Metric<decltype(lpips<Cuda>())> && Metric<decltype(lpips<Cpu>())>);

TEST_CASE("LPIPS on the device is a metric of its tensors, and gives the CPU's distances to rounding") {
  NEEDS_DEVICE();
  auto const x = normal<double>({2, 8, 8, 3}, {2}), y = normal<double>({2, 8, 8, 3}, {3});
  Tensor<double> const expected = lpips<Cpu>()(x, y);
  Tensor<double, Cuda> const found = lpips<Cuda>()(to<Cuda>(x), to<Cuda>(y));
  CHECK(distance(to<Cpu>(found), expected) < 1e-10);
}
