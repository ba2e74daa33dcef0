// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include <consistency/network/conditional_unet1d.hpp>

#include "../support/temp_folder.hpp"
#include "golden.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// That of policy.py's small_push_t.
ConditionalUNet1d network() {
  return ConditionalUNet1d{{.horizon = 8, .widths = {8, 16}, .embedding = 8, .condition = {.features = 3}}};
}

std::filesystem::path path() {
  return std::filesystem::path{GOLDEN_FOLDER} / "conditional_unet1d.safetensors";
}

template <class S>
Tensor<S> numbers(TensorEntry const& entry, Shape shape) {
  auto const values = copy_as<double>(entry);
  Tensor<S> x{shape};
  for (Index i = 0; i < x.count(); ++i)
    x.mutable_data()[i] = static_cast<S>(values[static_cast<std::size_t>(i)]);
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE(
    "the conditional 1-D U-Net computes what its definition in PyTorch does from the same file", S, float,
    double) {
  auto const file = read_safetensors(path());
  auto const net = network();
  auto const theta = golden_weights<S>(path(), net);
  auto const x = numbers<S>(*file.find("golden.x"), {3, 8, 2});
  auto const at = Conditions{numbers<S>(*file.find("golden.noise"), {3, 1, 1}),
                             Condition<Tensor<S>>{numbers<S>(*file.find("golden.labels"), {3, 3})}};
  Tensor<S> const F = net(theta, x, at);
  CHECK(relative_rms(F, numbers<double>(*file.find("golden.F"), {3, 8, 2})) <
        (sizeof(S) == 4 ? 2e-6 : 1e-13));
}

TEST_CASE("weights along one axis come back from a file of PyTorch's layout, which has its shapes") {
  auto const net = network();
  auto const theta = read_torch_parameters(path(), net.parameters(), {.ignored = {"golden.*"}});
  TempFolder const folder;
  auto const copy = folder.path() / "copy.safetensors";
  write_torch_parameters(copy, theta);
  auto const before = read_safetensors(path()), file = read_safetensors(copy);
  for (auto const& entry : file.entries()) {
    CAPTURE(entry.name);
    auto const* const own = before.find(entry.name);
    REQUIRE(own != nullptr);
    CHECK(entry.shape == own->shape);
    CHECK(std::equal(entry.bytes.begin(), entry.bytes.end(), own->bytes.begin(), own->bytes.end()));
  }
}
