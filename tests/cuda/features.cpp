// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/cuda.hpp>
#include <consistency/network/dinov2.hpp>
#include <consistency/network/inception_v3.hpp>

#include "../network/support.hpp"
#include "../support/compare.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("a mixed block of Inception on the device gives the CPU's numbers to rounding") {
  NEEDS_DEVICE();
  ParameterTable table;
  auto const block = mixed_block(table);
  auto const reducing =
      InceptionBlock{table,
                     "reducing",
                     block.channels(),
                     {{.chain = {{"a", 2, {.height = 3, .width = 3, .stride = 2, .padded = false}}}},
                      {.pooling = InceptionPooling::maximum_stride_2, .chain = {}}}};
  auto const theta = Parameters<Tensor<double>>::initialized(table, {1});
  auto const of_device = to<Cuda>(theta);
  auto const x = normal<double>({2, 7, 6, 3}, {2});
  auto const found = reducing(of_device, block(of_device, to<Cuda>(x)));
  CHECK(distance(to<Cpu>(found), reducing(theta, block(theta, x))) < 1e-12);
}

TEST_CASE("DINOv2 on the device gives the CPU's features to rounding") {
  NEEDS_DEVICE();
  auto const net = DinoV2{{.channels = 12, .blocks = 2, .heads = 3, .hidden = 20, .patch = 2, .grid = 3}};
  auto const theta = Parameters<Tensor<double>>::initialized(net.parameters(), {1});
  auto const x = normal<double>({2, 4, 10, 3}, {2});
  auto const found = net(to<Cuda>(theta), to<Cuda>(x));
  CHECK(distance(to<Cpu>(found), net(theta, x)) < 1e-12);
}

TEST_CASE("Inception's resize on the device gives the CPU's numbers to rounding") {
  NEEDS_DEVICE();
  auto const x = normal<double>({2, 5, 8, 3}, {2});
  CHECK(distance(to<Cpu>(inception_resize(to<Cuda>(x))), inception_resize(x)) < 1e-13);
}
