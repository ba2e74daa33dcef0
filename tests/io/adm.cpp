// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/network/adm.hpp>

#include "golden.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

AdmSettings settings(Conditioning conditioning) {
  return {.channels = 8,
          .multipliers = {1, 2},
          .blocks = 1,
          .attention = {4},
          .head_channels = 8,
          .embedding = 16,
          .conditioning = conditioning,
          .condition = {.features = 5},
          .image = {8, 8, 3}};
}

}  // namespace

TEST_CASE_TEMPLATE("ADM computes what EDM's own program computes from the same file", S, float, double) {
  for (auto const conditioning : {Conditioning::scale_shift, Conditioning::add}) {
    auto const path =
        std::filesystem::path{GOLDEN_FOLDER} /
        (conditioning == Conditioning::add ? "adm_add.safetensors" : "adm_scale_shift.safetensors");
    auto const file = read_safetensors(path);
    auto const net = Adm{settings(conditioning)};
    auto const theta = golden_weights<S>(path, net);
    auto const labels = from_torch<S>(*file.find("golden.labels"));  // (3, 1, 1, 5)
    auto const condition = Condition<Tensor<S>>{labels.reshaped({3, 5})};
    Tensor<S> const F = net(theta, from_torch<S>(*file.find("golden.x")),
                            Conditions{from_torch<S>(*file.find("golden.noise")), condition});
    CHECK(relative_rms(F, from_torch<double>(*file.find("golden.F"))) < (sizeof(S) == 4 ? 2e-6 : 1e-14));
  }
}
