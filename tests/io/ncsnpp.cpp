// SPDX-License-Identifier: MIT
#include <filesystem>

#include <doctest/doctest.h>

#include <consistency/network/song_unet.hpp>

#include "golden.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

SongUNetSettings settings() {
  auto s = SongUNetSettings::ncsnpp();
  s.channels = 8;
  s.multipliers = {1, 2, 1};
  s.blocks = 1;
  s.attention = {4};
  s.embedding = 16;
  s.condition = {.features = 5, .labels = 9};
  s.image = {8, 8, 3};
  return s;
}

}  // namespace

TEST_CASE_TEMPLATE("NCSN++ computes what EDM's own program computes from the same file", S, float, double) {
  auto const path = std::filesystem::path{GOLDEN_FOLDER} / "ncsnpp.safetensors";
  auto const file = read_safetensors(path);
  auto const net = SongUNet{settings()};
  auto const theta = golden_weights<S>(path, net);
  auto const rows = [&](char const* name, Index width) {
    return from_torch<S>(*file.find(name)).reshaped({3, width});  // (3, width)
  };
  auto const labels = rows("golden.labels", 5);
  auto const x = from_torch<S>(*file.find("golden.x")), noise = from_torch<S>(*file.find("golden.noise"));
  auto const tolerance = sizeof(S) == 4 ? 2e-6 : 1e-13;
  Tensor<S> const all = concat(labels, rows("golden.augment", 9));  // (3, 14)
  Tensor<S> const F = net(theta, x, Conditions{noise, Condition<Tensor<S>>{all}});
  CHECK(relative_rms(F, from_torch<double>(*file.find("golden.F"))) < tolerance);
  Tensor<S> const plain = net(theta, x, Conditions{noise, Condition<Tensor<S>>{labels}});
  CHECK(relative_rms(plain, from_torch<double>(*file.find("golden.plain"))) < tolerance);
}
