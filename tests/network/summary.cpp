// SPDX-License-Identifier: MIT
#include <string>

#include <doctest/doctest.h>

#include <consistency/network/mlp.hpp>
#include <consistency/network/resnet20.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/summary.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/network/vgg16.hpp>

using namespace consistency;

TEST_CASE("a summary has a line for each layer, with the shapes of its parameters, and the total") {
  auto const net = Mlp{{.dimensions = 2, .width = 10, .layers = 2, .embedding = 4}};
  CHECK(net.summary() ==
        "layer       numbers  shapes\n"
        "hidden0          70  weight (6, 10), bias (10)\n"
        "hidden1         150  weight (14, 10), bias (10)\n"
        "out              22  weight (10, 2), bias (2)\n"
        "total           242  6 parameters, 0.0 MiB in float32\n");
}

TEST_CASE("a parameter whose name has no point is a layer of its own") {
  ParameterTable table;
  table.add("scale", {3}, Initializer::ones());
  table.add("shift", {3}, Initializer::zeros());
  CHECK(summary(table).find("scale           3  (3)\nshift           3  (3)\n") != std::string::npos);
  CHECK(summary(ParameterTable{}).find("total           0  0 parameters") != std::string::npos);
}

TEST_CASE_TEMPLATE("every network has a summary that ends with how many numbers it has", N, Mlp, UNet,
                   SongUNet, Vgg16, ResNet20) {
  auto const net = N{};
  auto const all = net.summary();
  CHECK(all == summary(net.parameters()));
  auto const total = all.substr(all.rfind("total "));
  CHECK(total.find(" " + number_text(net.parameters().count()) + " ") != std::string::npos);
}
